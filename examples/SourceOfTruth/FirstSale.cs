namespace SourceOfTruth;

/// <summary>Act 1: everybody reads, one changes, everybody sees it.</summary>
internal static class FirstSale
{
    public static async Task PlayAsync(Shop shop, Timeline timeline)
    {
        const string Key = "anchor";
        timeline.Begin("Act 1: three nodes read one document, one of them changes it");
        foreach (Node node in shop.Nodes)
        {
            timeline.Say(node.Name, $"reads {Key} from the folder and keeps it: stock {(await node.ReadAsync(Key)).Stock}");
        }

        Node seller = shop.Nodes[0];
        if (await seller.TrySellAsync(Key) is { } sold)
        {
            timeline.Say(seller.Name, $"sold one {Key}: the others' rights are back, the folder is changed", new CacheEngine.Fence(sold.Fence));
        }

        foreach (Node node in shop.Nodes)
        {
            timeline.Say(node.Name, $"reads {Key}: stock {(await node.ReadAsync(Key)).Stock}");
        }
    }
}
