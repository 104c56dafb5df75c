namespace SourceOfTruth;

/// <summary>Act 2: readers and sellers on all nodes at once, every read checked.</summary>
internal static class Traffic
{
    private const int ReadersPerNode = 2;

    // The first three documents are for the other acts, which begin with a full stock.
    private static string[] Keys { get; } = [.. Shop.Keys.Skip(3)];

    // Long enough between two sales that most reads are hits.
    private static TimeSpan Pause { get; } = TimeSpan.FromMilliseconds(2);

    public static async Task PlayAsync(Shop shop, Timeline timeline, TimeSpan duration)
    {
        timeline.Begin($"Act 2: {ReadersPerNode} readers and a seller on every node, for {duration.TotalSeconds:F0} seconds");
        using var stop = new CancellationTokenSource(duration);
        Task<int>[] sellers = [.. shop.Nodes.Select((node, seed) => Task.Run(() => SellAsync(node, new Random(seed), stop.Token)))];
        Task[] readers = [.. shop.Nodes.SelectMany(node => Enumerable.Range(0, ReadersPerNode).Select(_ => Task.Run(() => ReadAsync(node, stop.Token))))];
        await Task.WhenAll(readers);
        int[] sales = await Task.WhenAll(sellers);
        timeline.Say("all", $"{shop.Ledger.Reads:N0} reads, {sales.Sum():N0} sales, stale reads: {shop.Ledger.StaleReads}");
    }

    private static async Task ReadAsync(Node node, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            // A hit completes at once: between two rounds others get their turn.
            foreach (string key in Keys)
            {
                await node.ReadAsync(key);
            }

            await Task.Yield();
        }
    }

    private static async Task<int> SellAsync(Node node, Random random, CancellationToken stop)
    {
        int sold = 0;
        while (!stop.IsCancellationRequested)
        {
            sold += await node.TrySellAsync(Keys[random.Next(Keys.Length)]) is null ? 0 : 1;
            await Task.Delay(Pause, CancellationToken.None);
        }

        return sold;
    }
}
