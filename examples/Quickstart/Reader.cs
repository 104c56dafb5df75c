using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using CacheEngine.Checking;

namespace Quickstart;

/// <summary>
/// A client of one node that reads files as fast as it can and records every read: when it was called, what it saw, and when it returned.
/// </summary>
/// <remarks>When its node is killed it reads on for a while, as a program on an unplugged machine would: what memory serves, and nothing else.</remarks>
internal sealed class Reader(Node node, WorkingCopy copy, ClientLog log, Zipf popularity, int seed)
{
    private const int ReadsPerBurst = 64;

    private readonly Random _random = new(seed);
    private long _hits;
    private long _hitsOfTheDead;

    public long Reads => log.Reads;

    /// <summary>Reads that were served from the node's memory.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Those of them that a dead node served; read it when the run is over.</summary>
    public long HitsOfTheDead => _hitsOfTheDead;

    /// <summary>Reads until told to stop, or for <paramref name="afterlife"/> after its clients have noticed that the node is dead.</summary>
    public async Task RunAsync(TimeSpan afterlife, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested && !node.IsLost)
            {
                for (int i = 0; i < ReadsPerBurst; i++)
                {
                    await ReadAsync(popularity.Next(_random));
                }

                // Hits never wait, so without this the readers would keep the pool's threads for themselves.
                await Task.Yield();
            }
        }
        catch (OperationCanceledException) when (node.IsLost)
        {
            // It waited for the authority, which the node does not reach any more.
        }

        long start = Stopwatch.GetTimestamp();
        while (!stop.IsCancellationRequested && Stopwatch.GetElapsedTime(start) < afterlife)
        {
            for (int i = 0; i < ReadsPerBurst; i++)
            {
                _hitsOfTheDead += TryRead(popularity.Next(_random), out _) ? 1 : 0;
            }

            await Task.Yield();
        }
    }

    /// <summary>Reads one file: from memory if the node may serve it, else from the authority or, the first time in the cluster, from disk.</summary>
    public ValueTask<FileContent> ReadAsync(int file) =>
        TryRead(file, out FileContent? held) ? ValueTask.FromResult(held) : LoadAsync(file);

    private bool TryRead(int file, [NotNullWhen(true)] out FileContent? held)
    {
        long call = Stopwatch.GetTimestamp();
        if (!node.Cache.TryGet(copy.Files[file].Key, out held, out long version))
        {
            return false;
        }

        log.Read(file, held.Revision, version, call, Stopwatch.GetTimestamp());
        _hits++;
        return true;
    }

    private async ValueTask<FileContent> LoadAsync(int file)
    {
        long call = Stopwatch.GetTimestamp();
        FileContent loaded = await node.Cache.GetOrCreateAsync(
            copy.Files[file].Key, copy, static (key, copy, token) => copy.LoadAsync(key, token), cancellationToken: node.Lost);
        log.Read(file, loaded.Revision, HistoryEvent.Unversioned, call, Stopwatch.GetTimestamp());
        return loaded;
    }
}
