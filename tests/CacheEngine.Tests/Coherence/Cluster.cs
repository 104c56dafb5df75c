namespace CacheEngine.Tests.Coherence;

/// <summary>An authority and some nodes of one region.</summary>
internal sealed class Cluster<TValue> : IAsyncDisposable
{
    private Cluster(EmbeddedAuthority authority, TestLinks links, List<CoherentCache<string, TValue>> nodes)
    {
        Authority = authority;
        Links = links;
        Nodes = nodes;
    }

    public EmbeddedAuthority Authority { get; }

    public TestLinks Links { get; }

    public List<CoherentCache<string, TValue>> Nodes { get; }

    public static async Task<Cluster<TValue>> OpenAsync(
        int nodes, Action<EmbeddedAuthorityOptions>? authority = null, Action<CoherentCacheOptions<string, TValue>>? cache = null)
    {
        var links = new TestLinks();
        var authorityOptions = new EmbeddedAuthorityOptions { Links = links };
        authority?.Invoke(authorityOptions);
        var cluster = new Cluster<TValue>(EmbeddedAuthority.Create(authorityOptions), links, []);
        for (int i = 0; i < nodes; i++)
        {
            var options = new CoherentCacheOptions<string, TValue> { NodeName = $"node{i}" };
            cache?.Invoke(options);
            cluster.Nodes.Add(await CoherentCache.OpenAsync(cluster.Authority, "region", options));
        }

        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (CoherentCache<string, TValue> node in Nodes)
        {
            await node.DisposeAsync();
        }

        await Authority.DisposeAsync();
    }
}
