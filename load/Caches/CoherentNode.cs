namespace CacheEngine.Load.Caches;

/// <summary>A node of CacheEngine.</summary>
internal sealed class CoherentNode(CoherentCache<string, StampedValue> cache) : ICacheNode
{
    public bool TryGet(string key, out Sighting seen)
    {
        if (cache.TryGet(key, out StampedValue? value, out long version))
        {
            seen = new Sighting(value, version);
            return true;
        }

        seen = default;
        return false;
    }

    public async ValueTask<Sighting> GetAsync(string key)
    {
        Lookup<StampedValue> found = await cache.GetAsync(key);
        return new Sighting(found.Value, found.Version);
    }

    public ValueTask<StampedValue> GetOrCreateAsync(string key, Func<ValueTask<StampedValue>> factory) =>
        cache.GetOrCreateAsync(key, factory, static (_, make, _) => make());

    public ValueTask<long> SetAsync(string key, StampedValue value) => cache.SetAsync(key, value);
}
