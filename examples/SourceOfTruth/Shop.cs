using CacheEngine;

namespace SourceOfTruth;

/// <summary>Three nodes over one folder, and the authority that gives them their rights.</summary>
internal sealed class Shop : IAsyncDisposable
{
    public const int FullStock = 5;

    private readonly EmbeddedAuthority _authority;

    private Shop(EmbeddedAuthority authority, DocumentFolder folder, Ledger ledger)
    {
        _authority = authority;
        Folder = folder;
        Ledger = ledger;
    }

    /// <summary>How long a silent node keeps its rights; five seconds by default, and short here so that the story is.</summary>
    public static TimeSpan LeaseTerm { get; } = TimeSpan.FromSeconds(1);

    public static IReadOnlyList<string> Keys { get; } = ["anchor", "buoy", "compass", "dinghy", "ensign", "flare", "grapnel", "halyard", "jib", "keel"];

    public DocumentFolder Folder { get; }

    public Ledger Ledger { get; }

    public IReadOnlyList<Node> Nodes { get; private set; } = [];

    public static async Task<Shop> OpenAsync(DocumentFolder folder, Timeline timeline)
    {
        var authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { LeaseTerm = LeaseTerm, Latency = TimeSpan.FromMilliseconds(1) });
        var shop = new Shop(authority, folder, new Ledger());
        foreach (string key in Keys)
        {
            var document = new Product(key, FullStock, Version: 1, Fence: 0);
            await folder.CreateAsync(document);
            shop.Ledger.Acknowledge(document);
        }

        shop.Nodes =
        [
            await Node.OpenAsync(authority, "north", folder, shop.Ledger, timeline),
            await Node.OpenAsync(authority, "east", folder, shop.Ledger, timeline),
            await Node.OpenAsync(authority, "south", folder, shop.Ledger, timeline),
        ];
        return shop;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Node node in Nodes)
        {
            await node.DisposeAsync();
        }

        await _authority.DisposeAsync();
    }
}
