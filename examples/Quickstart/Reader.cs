using System.Diagnostics;
using CacheEngine;
using CacheEngine.Checking;

namespace Quickstart;

/// <summary>
/// A client of one node that reads files as fast as it can and records every read: when it was called, what it saw, and when it returned.
/// </summary>
internal sealed class Reader(CoherentCache<string, FileContent> cache, WorkingCopy copy, ClientLog log, Zipf popularity, int seed)
{
    private const int ReadsPerBurst = 64;

    private readonly Random _random = new(seed);
    private long _hits;

    public long Reads => log.Reads;

    /// <summary>Reads that were served from the node's memory.</summary>
    public long Hits => Volatile.Read(ref _hits);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < ReadsPerBurst; i++)
            {
                await ReadAsync(popularity.Next(_random));
            }

            // Hits never wait, so without this the readers would keep the pool's threads for themselves.
            await Task.Yield();
        }
    }

    /// <summary>Reads one file: from memory if the node may serve it, else from the authority or, the first time in the cluster, from disk.</summary>
    public ValueTask<FileContent> ReadAsync(int file)
    {
        long call = Stopwatch.GetTimestamp();
        if (cache.TryGet(copy.Files[file].Key, out FileContent? held, out long version))
        {
            log.Read(file, held.Revision, version, call, Stopwatch.GetTimestamp());
            _hits++;
            return ValueTask.FromResult(held);
        }

        return LoadAsync(file);
    }

    private async ValueTask<FileContent> LoadAsync(int file)
    {
        long call = Stopwatch.GetTimestamp();
        FileContent loaded = await cache.GetOrCreateAsync(copy.Files[file].Key, copy, static (key, copy, token) => copy.LoadAsync(key, token));
        log.Read(file, loaded.Revision, HistoryEvent.Unversioned, call, Stopwatch.GetTimestamp());
        return loaded;
    }
}
