using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Memory;

namespace CacheEngine.Bench.Hits;

/// <summary>The measured loops, one method each and no generics, so that each is compiled for what it calls. They return how many lookups hit.</summary>
internal static class HitLoops
{
    public static int Run(ConcurrentDictionary<long, object> dictionary, ReadOnlySpan<long> keys)
    {
        int hits = 0;
        foreach (long key in keys)
        {
            hits += dictionary.TryGetValue(key, out object? value) && value is not null ? 1 : 0;
        }

        return hits;
    }

    public static int Run(ConcurrentDictionary<string, object> dictionary, ReadOnlySpan<string> keys)
    {
        int hits = 0;
        foreach (string key in keys)
        {
            hits += dictionary.TryGetValue(key, out object? value) && value is not null ? 1 : 0;
        }

        return hits;
    }

    public static int Run(MemoryCache cache, ReadOnlySpan<long> keys)
    {
        int hits = 0;
        foreach (long key in keys)
        {
            hits += cache.TryGetValue(key, out object? value) && value is not null ? 1 : 0;
        }

        return hits;
    }

    public static int Run(MemoryCache cache, ReadOnlySpan<string> keys)
    {
        int hits = 0;
        foreach (string key in keys)
        {
            hits += cache.TryGetValue(key, out object? value) && value is not null ? 1 : 0;
        }

        return hits;
    }

    public static int Run(CoherentCache<long, object> cache, ReadOnlySpan<long> keys)
    {
        int hits = 0;
        foreach (long key in keys)
        {
            hits += cache.TryGet(key, out object? value) && value is not null ? 1 : 0;
        }

        return hits;
    }

    public static int Run(CoherentCache<string, object> cache, ReadOnlySpan<string> keys)
    {
        int hits = 0;
        foreach (string key in keys)
        {
            hits += cache.TryGet(key, out object? value) && value is not null ? 1 : 0;
        }

        return hits;
    }
}
