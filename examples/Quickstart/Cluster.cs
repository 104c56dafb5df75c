using System.Collections.Concurrent;
using CacheEngine;

namespace Quickstart;

/// <summary>The authority and the nodes of its one region: those that live, and those that were killed and do not know it.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    /// <summary>How long a node's clients wait for a dead node before they notice.</summary>
    private static TimeSpan Notice { get; } = TimeSpan.FromMilliseconds(100);

    private readonly EmbeddedAuthority _authority;
    private readonly ConcurrentQueue<Node> _opened = new();
    private volatile Node[] _live = [];

    private Cluster(EmbeddedAuthority authority) => _authority = authority;

    /// <summary>The nodes that are written through and read at the end; a snapshot.</summary>
    public IReadOnlyList<Node> Live => _live;

    /// <summary>How many nodes were killed.</summary>
    public int Killed { get; private set; }

    /// <summary>How often the authority was restarted.</summary>
    public int Restarts { get; private set; }

    public long Revokes => _opened.Sum(node => node.Cache.Revokes);

    public long RefusedMessages => _authority.RefusedMessages;

    /// <summary>Opens an authority and its nodes. Values cross between them as bytes, as they would between machines.</summary>
    public static async Task<Cluster> OpenAsync(int nodes, TimeSpan leaseTerm)
    {
        var cluster = new Cluster(EmbeddedAuthority.Create(new() { CopyValues = true, LeaseTerm = leaseTerm }));
        for (int i = 0; i < nodes; i++)
        {
            cluster._live = [.. cluster._live, await cluster.OpenNodeAsync()];
        }

        return cluster;
    }

    /// <summary>Does to the nodes what a crash of a remote authority would: sessions are cut off, answers on their way are lost.</summary>
    public Task RestartAuthorityAsync()
    {
        _authority.Restart();
        Restarts++;
        return Task.CompletedTask;
    }

    /// <summary>Pulls one node's plug, in turn, and puts another in its place. The dead one says no goodbye: it serves until its lease has run out.</summary>
    /// <param name="run">Called with the new node, to give it clients.</param>
    public async Task KillOneAsync(Action<Node> run)
    {
        int place = Killed % _live.Length;
        Node killed = _live[place];
        _authority.Isolate(killed.Name);
        Killed++;
        Node opened = await OpenNodeAsync();

        // Until its clients notice, what they ask of it waits.
        await Task.Delay(Notice);
        var live = (Node[])_live.Clone();
        live[place] = opened;
        _live = live;
        await killed.LoseAsync();
        run(opened);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Node node in _opened)
        {
            await node.DisposeAsync();
        }

        await _authority.DisposeAsync();
    }

    private async Task<Node> OpenNodeAsync()
    {
        string name = $"node{_opened.Count}";
        var node = new Node(name, await CoherentCache.OpenAsync<string, FileContent>(
            _authority, region: "files", new() { NodeName = name, Serializer = new FileContentSerializer() }));
        _opened.Enqueue(node);
        return node;
    }
}
