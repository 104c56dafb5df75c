namespace CacheEngine.Tests.Coherence;

/// <summary>One load per cluster or per node, whatever becomes of its callers: scenarios L1C-06 to L1C-08, promise P30.</summary>
public class SingleFlightTests
{
    [Theory]
    [Rule("P30", "L1C-06")]
    [InlineData(ValuePlacement.Authority, 1)]
    [InlineData(ValuePlacement.Source, 5)]
    public async Task HundredCallersOnFiveNodes_TheFactoryRunsOnceAClusterOrNode(ValuePlacement placement, int expectedRuns)
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(5, cache: o => o.Placement = placement);
        int runs = 0;
        var start = new TaskCompletionSource();
        Task<string>[] callers = [.. Enumerable.Range(0, 500).Select(i => Task.Run(async () =>
        {
            await start.Task;
            return await cluster.Nodes[i % 5].GetOrCreateAsync("k", async (_, token) =>
            {
                Interlocked.Increment(ref runs);
                await Task.Delay(50, token);
                return "loaded";
            });
        }))];
        start.SetResult();

        string[] values = await Task.WhenAll(callers);

        Assert.Equal(expectedRuns, runs);
        Assert.All(values, value => Assert.Equal("loaded", value));
    }

    [Fact]
    [Rule("P30", "L1C-07")]
    public async Task NineOfTenCallersGiveUp_TheLoadGoesOn_TheTenthToo_ItIsCancelled_TheNextStartsAnew()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        using var nine = new CancellationTokenSource();
        using var tenth = new CancellationTokenSource();
        var canceled = new TaskCompletionSource();
        int runs = 0;
        Task<string>[] callers = [.. Enumerable.Range(0, 10).Select(i => cluster.Nodes[0].GetOrCreateAsync("k", async (_, token) =>
        {
            runs++;
            token.Register(canceled.SetResult);
            await Task.Delay(Timeout.Infinite, token);
            return "never";
        }, cancellationToken: (i < 9 ? nine : tenth).Token).AsTask())];

        await nine.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);
        await Task.Delay(50);
        Assert.False(canceled.Task.IsCompleted);

        await tenth.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[9]);
        await canceled.Task.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(1, runs);

        Assert.Equal("anew", await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("anew")).AsTask().WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    [Rule("P30", "L1C-08")]
    public async Task FailingFactory_AllItsCallersLearnIt_NothingIsKept_TheNextCallRunsItAgain()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        var gate = new TaskCompletionSource<string>();
        Task<string>[] callers = [.. Enumerable.Range(0, 10).Select(_ => cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask())];

        gate.SetException(new FormatException("on purpose"));

        foreach (Task<string> caller in callers)
        {
            await Assert.ThrowsAsync<FormatException>(() => caller);
        }

        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        Assert.Equal("again", await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("again")));
    }

    [Fact]
    public async Task FailedLoad_ElectsTheNextLoader()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(3);
        var gate = new TaskCompletionSource<string>();
        Task<string> first = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask();
        Task<string> second = cluster.Nodes[1].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("second")).AsTask();
        Task<string> third = cluster.Nodes[2].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("third")).AsTask();
        await Task.Delay(50);
        Assert.False(second.IsCompleted || third.IsCompleted);

        gate.SetException(new FormatException("on purpose"));

        await Assert.ThrowsAsync<FormatException>(() => first);
        Assert.Equal("second", await second.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal("second", await third.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task WriterDoesNotWaitForALoad_NorAReader()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(3);
        var gate = new TaskCompletionSource<string>();
        Task<string> load = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask();
        Task<string> waiting = cluster.Nodes[1].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("unused")).AsTask();

        Lookup<string> read = await cluster.Nodes[2].GetAsync("k").AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(LookupStatus.Absent, read.Status);
        await cluster.Nodes[2].SetAsync("k", "written").AsTask().WaitAsync(TimeSpan.FromSeconds(5));

        Assert.Equal("written", await waiting.WaitAsync(TimeSpan.FromSeconds(5)));
        gate.SetResult("loaded");
        Assert.Equal("loaded", await load);
    }

    [Fact]
    public async Task LoaderWhoseNodeDies_IsFollowedByTheNext()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = TimeSpan.FromMilliseconds(300));
        var never = new TaskCompletionSource<string>();
        Task<string> first = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await never.Task).AsTask();
        cluster.Links.Cut("node0");

        string second = await cluster.Nodes[1].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("second")).AsTask().WaitAsync(TimeSpan.FromSeconds(5));

        Assert.Equal("second", second);
        cluster.Links.Restore(cluster.Authority);
        never.SetResult("first");
        Assert.Equal("first", await first.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal("second", (await cluster.Nodes[0].GetAsync("k")).Value);
    }
}
