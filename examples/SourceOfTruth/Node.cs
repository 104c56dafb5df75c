using CacheEngine;

namespace SourceOfTruth;

/// <summary>One process of the shop, as it would be in production: a cache, and the folder behind it.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly CoherentCache<string, Product> _cache;
    private readonly DocumentFolder _folder;
    private readonly Ledger _ledger;
    private readonly Timeline _timeline;

    private Node(string name, PausableTimeProvider clock, CoherentCache<string, Product> cache, DocumentFolder folder, Ledger ledger, Timeline timeline)
    {
        Name = name;
        Clock = clock;
        _cache = cache;
        _folder = folder;
        _ledger = ledger;
        _timeline = timeline;
    }

    public string Name { get; }

    public PausableTimeProvider Clock { get; }

    public static async Task<Node> OpenAsync(CacheAuthority authority, string name, DocumentFolder folder, Ledger ledger, Timeline timeline)
    {
        var clock = new PausableTimeProvider();
        var options = new CoherentCacheOptions<string, Product>
        {
            Placement = ValuePlacement.Source,
            NodeName = name,
            TimeProvider = clock,
            BreakTimeout = TimeSpan.FromMilliseconds(600),
            RaiseFenceAsync = async (key, fence, token) =>
            {
                await folder.RaiseFenceAsync(key, fence, token);
                timeline.Say(name, $"{key} is unsettled, its writer never said how it ended: raised the fence", fence);
            },
        };
        CoherentCache<string, Product> cache = await CoherentCache.OpenAsync(authority, "products", options);
        return new Node(name, clock, cache, folder, ledger, timeline);
    }

    /// <summary>From memory if this node has the right to, else from the folder. Every read is checked.</summary>
    public async ValueTask<Product> ReadAsync(string key)
    {
        long floor = _ledger.Floor(key);
        Product found = await _cache.GetOrCreateAsync(key, _folder, static (key, folder, token) => folder.LoadAsync(key, token));
        if (_ledger.Check(found, floor))
        {
            _timeline.Say(Name, $"STALE: {key} has version {found.Version}, and version {floor} was acknowledged before");
        }

        return found;
    }

    /// <summary>Sells one piece, or restocks: reads the folder, changes it under the fence, and tells the cluster.</summary>
    /// <returns>The document as it is now; null if the right was lost on the way.</returns>
    public async Task<Product?> TrySellAsync(string key)
    {
        Product sold;
        try
        {
            await using CacheWrite<string, Product> write = await BeginWriteAsync(key);
            Product before = await _folder.LoadAsync(key);
            sold = before with
            {
                Stock = before.Stock > 0 ? before.Stock - 1 : Shop.FullStock,
                Version = before.Version + 1,
                Fence = write.Fence.Value,
            };
            if (!await _folder.TrySaveAsync(sold, write.Fence))
            {
                write.Abandon();
                return null;
            }

            write.Complete(sold);
        }
        catch (CapabilityLostException)
        {
            // The folder took the change, so it stands, and whoever loads the document sees it; but it has not been acknowledged.
            return null;
        }

        _ledger.Acknowledge(sold);
        return sold;
    }

    /// <summary>The first half of a change, for those who want to be interrupted in the middle.</summary>
    public ValueTask<CacheWrite<string, Product>> BeginWriteAsync(string key) => _cache.BeginWriteAsync(key);

    public ValueTask DisposeAsync() => _cache.DisposeAsync();
}
