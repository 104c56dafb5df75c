using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Caches;

/// <summary>
/// Nodes of CacheEngine in this process at one embedded authority. Values cross as bytes and messages take their time, as between machines.
/// </summary>
internal sealed class CoherentCluster : ICacheCluster
{
    private readonly EmbeddedAuthority _authority;
    private readonly List<CoherentCache<string, StampedValue>> _caches;

    private CoherentCluster(EmbeddedAuthority authority, List<CoherentCache<string, StampedValue>> caches)
    {
        _authority = authority;
        _caches = caches;
        Nodes = [.. caches.Select(static cache => new CoherentNode(cache))];
    }

    public IReadOnlyList<ICacheNode> Nodes { get; }

    public long Revokes => _caches.Sum(static cache => cache.Revokes);

    public long Questions => _caches.Sum(static cache => cache.Questions);

    public long RefusedMessages => _authority.RefusedMessages;

    public static async Task<ICacheCluster> OpenAsync(LoadParameters parameters)
    {
        var authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
        {
            CopyValues = true,
            Latency = TimeSpan.FromMilliseconds(parameters.LatencyMilliseconds),
        });
        var caches = new List<CoherentCache<string, StampedValue>>();
        for (int i = 0; i < parameters.Nodes; i++)
        {
            caches.Add(await CoherentCache.OpenAsync<string, StampedValue>(
                authority, region: "load", new() { NodeName = $"node{i}", Serializer = new StampedValue.Serializer() }));
        }

        return new CoherentCluster(authority, caches);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (CoherentCache<string, StampedValue> cache in _caches)
        {
            await cache.DisposeAsync();
        }

        await _authority.DisposeAsync();
    }
}
