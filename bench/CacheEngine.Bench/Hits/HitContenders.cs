using System.Collections.Concurrent;
using CacheEngine.Bench.Keys;
using Microsoft.Extensions.Caching.Memory;

namespace CacheEngine.Bench.Hits;

/// <summary>The same entries in a dictionary, in a MemoryCache and in a CoherentCache, and the sequences by which they are looked up.</summary>
internal sealed class HitContenders<TKey> : IDisposable
    where TKey : notnull
{
    /// <summary>How long the sequences are; a power of two.</summary>
    public const int Length = 1 << 18;

    private readonly KeySet<TKey> _keys;
    private readonly Cluster _cluster = new();

    public HitContenders(KeySet<TKey> keys)
    {
        _keys = keys;
        Cache = _cluster.Open<TKey, object>();
        object[] values = [.. Enumerable.Range(0, keys.Stored.Length).Select(_ => new object())];

        // One after the other, so that the entries of each lie as close together as if it were alone.
        for (int i = 0; i < values.Length; i++)
        {
            Dictionary[keys.Stored[i]] = values[i];
        }

        for (int i = 0; i < values.Length; i++)
        {
            Memory.Set(keys.Stored[i], values[i]);
        }

        for (int i = 0; i < values.Length; i++)
        {
            Finished.Take(Cache.SetAsync(keys.Stored[i], values[i]));
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
    }

    public ConcurrentDictionary<TKey, object> Dictionary { get; } = new();

    public MemoryCache Memory { get; } = new(new MemoryCacheOptions());

    public CoherentCache<TKey, object> Cache { get; }

    public TKey[] Draw(Distribution distribution) => _keys.Draw(distribution, Length);

    public void Dispose()
    {
        Memory.Dispose();
        _cluster.Dispose();
    }
}
