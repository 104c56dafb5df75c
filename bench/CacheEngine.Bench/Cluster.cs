namespace CacheEngine.Bench;

/// <summary>An authority in this process, and any number of caches of one region that are opened at it.</summary>
internal sealed class Cluster : IDisposable
{
    // A lease that outlasts any stall of a shared machine: what is measured is the hit, not the renewal.
    private readonly EmbeddedAuthority _authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { LeaseTerm = TimeSpan.FromMinutes(10) });
    private readonly List<IDisposable> _caches = [];

    public CoherentCache<TKey, TValue> Open<TKey, TValue>()
        where TKey : notnull
    {
        CoherentCache<TKey, TValue> cache = Finished.Take(CoherentCache.OpenAsync<TKey, TValue>(_authority, "bench"));
        _caches.Add(cache);
        return cache;
    }

    public void Dispose()
    {
        _caches.ForEach(cache => cache.Dispose());
        _authority.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
