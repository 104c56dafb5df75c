namespace CacheEngine.Tests.Coherence;

/// <summary>Readers of a node whose own changes of the key never pause: each waits for the changes that were there before it, and no longer.</summary>
public class StarvationTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_WritesOfItsOwnNodeOverlapWithoutEnd_IsAnswered(bool removes)
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create(new() { Latency = TimeSpan.FromMilliseconds(1) });
        await using CoherentCache<string, string> node = await CoherentCache.OpenAsync<string, string>(authority, "region");
        using var over = new CancellationTokenSource();
        Task[] writers = [.. Enumerable.Range(0, 4).Select(_ => WriteAsync(node, removes, over.Token))];
        try
        {
            for (int i = 0; i < 10; i++)
            {
                await node.GetAsync("key").AsTask().WaitAsync(Bound);
                string loaded = await node.GetOrCreateAsync("key", static (_, _) => ValueTask.FromResult("loaded")).AsTask().WaitAsync(Bound);
                Assert.True(loaded is "loaded" or "written");
            }
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(writers);
        }
    }

    private static async Task WriteAsync(CoherentCache<string, string> node, bool removes, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            await (removes ? node.RemoveAsync("key", CancellationToken.None) : node.SetAsync("key", "written", cancellationToken: CancellationToken.None));
            await Task.Yield();
        }
    }
}
