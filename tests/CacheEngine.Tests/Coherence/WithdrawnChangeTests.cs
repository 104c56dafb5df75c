using CacheEngine.Tests.Sync;

namespace CacheEngine.Tests.Coherence;

/// <summary>A change that is withdrawn before it was sent leaves nothing behind, neither here nor at the authority.</summary>
public class WithdrawnChangeTests
{
    private readonly SteppedScheduler _scheduler = new();

    [Theory]
    [InlineData("set")]
    [InlineData("update")]
    [InlineData("none")]
    public async Task WithdrawnWhileItsNodeLoads_TheLoadersRightGoesBack(string change)
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create();
        await using CoherentCache<string, string> other = await CoherentCache.OpenAsync<string, string>(authority, "region");
        await using CoherentCache<string, string> node = await CoherentCache.OpenAsync<string, string>(authority, "region", new() { Scheduler = _scheduler });
        var value = new TaskCompletionSource<string>();
        var isLoading = new TaskCompletionSource();
        Task<string> load = node.GetOrCreateAsync("k", async (_, _) =>
        {
            isLoading.SetResult();
            return await value.Task;
        }).AsTask();
        await RunUntilAsync(isLoading.Task);
        using var cancellation = new CancellationTokenSource();
        Task write = change switch
        {
            "set" => node.SetAsync("k", "w", cancellationToken: cancellation.Token).AsTask(),
            "update" => node.UpdateAsync("k", 1, static (_, _) => "u", cancellationToken: cancellation.Token).AsTask(),
            _ => Task.FromCanceled(new CancellationToken(true)),
        };
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        value.SetResult("loaded");
        await RunUntilAsync(load);
        Assert.Equal("loaded", await load);
        Task<string> elsewhere = other.GetOrCreateAsync("k", static (_, _) => ValueTask.FromResult("other")).AsTask();
        await RunUntilAsync(elsewhere);
        Assert.True(await elsewhere is "loaded" or "other");
    }

    private async Task RunUntilAsync(Task task)
    {
        for (int i = 0; i < 2_000 && !task.IsCompleted; i++)
        {
            _scheduler.RunAll();
            await Task.Delay(5);
        }

        Assert.True(task.IsCompleted, "it does not end");
    }
}
