using CacheEngine;

namespace SourceOfTruth;

/// <summary>
/// Acts 3 to 5: a node has the right to change a document and its change on the way when something holds it up, and the others go on without it.
/// </summary>
internal static class InterruptedSale
{
    /// <summary>Plays it.</summary>
    /// <param name="shop">Whose first node is held up.</param>
    /// <param name="key">What it sells.</param>
    /// <param name="isPaused">Whether its whole process stands still, so that it renews no lease. Else only its own code dawdles.</param>
    /// <param name="timeline">Where it is told.</param>
    /// <returns>Whether the folder and what the other nodes serve are the same in the end.</returns>
    public static async Task<bool> PlayAsync(Shop shop, string key, bool isPaused, Timeline timeline)
    {
        Node seller = shop.Nodes[0];
        foreach (Node node in shop.Nodes)
        {
            await node.ReadAsync(key);
        }

        CacheWrite<string, Product> write = await seller.BeginWriteAsync(key);
        timeline.Say(seller.Name, $"has the right to change {key}; its UPDATE is on the way ...", write.Fence);
        Product before = await shop.Folder.LoadAsync(key);
        Product late = before with { Stock = before.Stock - 1, Version = before.Version + 1 };
        if (isPaused)
        {
            seller.Clock.Pause();
            timeline.Say(seller.Name, "is paused: it renews nothing, its UPDATE has not arrived");
        }
        else
        {
            timeline.Say(seller.Name, "dawdles: it renews its lease, but its UPDATE does not leave");
        }

        foreach (Node node in shop.Nodes.Skip(1))
        {
            timeline.Say(node.Name, $"wants {key}");
            Product found = await node.ReadAsync(key);
            timeline.Say(node.Name, $"reads {key} from the folder: stock {found.Stock}, version {found.Version}");
        }

        seller.Clock.Resume();
        await FinishLateAsync(shop.Folder, seller, write, late, timeline);
        return await CompareAsync(shop, key, timeline);
    }

    /// <summary>The seller knows nothing of what happened meanwhile, and goes on where it stood.</summary>
    private static async Task FinishLateAsync(DocumentFolder folder, Node seller, CacheWrite<string, Product> write, Product late, Timeline timeline)
    {
        timeline.Say(seller.Name, $"goes on: its UPDATE arrives, stock {late.Stock}", write.Fence);
        bool isSaved = await folder.TrySaveAsync(late, write.Fence);
        timeline.Say(seller.Name, isSaved ? "the folder took it" : "the folder refused it: a greater fence has been there");
        try
        {
            // Only to show it: after a refusal there is nothing to complete. A node that has not heard yet is told when it disposes the write.
            write.Complete(late);
            await write.DisposeAsync();
            timeline.Say(seller.Name, "Complete was accepted");
        }
        catch (CapabilityLostException)
        {
            timeline.Say(seller.Name, "Complete throws CapabilityLostException: the sale is not acknowledged");
        }
        finally
        {
            await write.DisposeAsync();
        }
    }

    private static async Task<bool> CompareAsync(Shop shop, string key, Timeline timeline)
    {
        bool isSame = true;
        Product truth = await shop.Folder.LoadAsync(key);
        foreach (Node node in shop.Nodes)
        {
            Product served = await node.ReadAsync(key);
            bool isCurrent = served.Version == truth.Version;
            timeline.Say(node.Name, $"serves stock {served.Stock}{(isCurrent ? ", as the folder says" : $" while the folder says {truth.Stock}, and nobody will tell it")}");
            isSame &= isCurrent;
        }

        return isSame;
    }
}
