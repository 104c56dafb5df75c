using CacheEngine;

namespace Quickstart;

/// <summary>One node of the region: its cache, and what its clients know of its death.</summary>
internal sealed class Node(string name, CoherentCache<string, FileContent> cache) : IAsyncDisposable
{
    private readonly CancellationTokenSource _lost = new();

    public string Name => name;

    public CoherentCache<string, FileContent> Cache => cache;

    /// <summary>Fires when the clients have noticed that the node is dead: they wait for nothing from it any more.</summary>
    public CancellationToken Lost => _lost.Token;

    public bool IsLost => _lost.IsCancellationRequested;

    public Task LoseAsync() => _lost.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await cache.DisposeAsync();
        _lost.Dispose();
    }
}
