using CacheEngine.Tests.Sync;

namespace CacheEngine.Tests.Coherence;

/// <summary>Callers that give up, and authorities that do not answer: what is known of the outcome, and what comes of it later.</summary>
public class CancellationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static TheoryData<string> Changes => ["set", "remove", "try", "recall", "many"];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task CanceledBeforeItIsSent_NothingComesOfIt_AndReadersBehindItAreAnswered(string change)
    {
        var scheduler = new SteppedScheduler();
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create();
        await using CoherentCache<string, string> other = await CoherentCache.OpenAsync<string, string>(authority, "region");
        long version = await other.SetAsync("k", "v");
        await using CoherentCache<string, string> cache = await CoherentCache.OpenAsync<string, string>(
            authority, "region", new CoherentCacheOptions<string, string> { Scheduler = scheduler });
        using var cancellation = new CancellationTokenSource();
        Task write = ChangeAsync(cache, change, version, cancellation.Token);
        Task<Lookup<string>> read = cache.GetAsync("k").AsTask();

        await cancellation.CancelAsync();
        OperationCanceledException canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        Assert.IsNotType<WriteCanceledException>(canceled);
        Assert.Equal(cancellation.Token, canceled.CancellationToken);
        RunAll(scheduler);
        Lookup<string> found = await read.WaitAsync(Patience);
        Assert.Equal(("v", version), (found.Value, found.Version));
        Assert.True(other.TryGet("k", out _));
        Assert.Equal(0, cache.Engine.OperationsInFlight);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task CanceledAfterItWasSent_ItsOutcomeIsUnknown_AndItGoesOn(string change)
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        long version = await cluster.Nodes[0].SetAsync("k", "v");
        cluster.Links.Cut("node1");
        using var cancellation = new CancellationTokenSource();
        Task write = ChangeAsync(cluster.Nodes[1], change, version, cancellation.Token);
        await cancellation.CancelAsync();
        WriteCanceledException canceled = await Assert.ThrowsAsync<WriteCanceledException>(() => write);
        Assert.Equal(cancellation.Token, canceled.CancellationToken);
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
        cluster.Links.Restore(cluster.Authority);
        string? expected = change switch { "remove" => null, "recall" => "v", _ => "w" };
        Assert.Equal(expected, (await cluster.Nodes[1].GetAsync("k").AsTask().WaitAsync(Patience)).Value);
        Assert.Equal(expected, (await cluster.Nodes[0].GetAsync("k").AsTask().WaitAsync(Patience)).Value);
        Assert.Equal(0, cluster.Nodes[1].Engine.OperationsInFlight);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task CanceledFromTheStart_IsNotBegun(string change)
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        long version = await cluster.Nodes[0].SetAsync("k", "v");
        var canceled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ChangeAsync(cluster.Nodes[0], change, version, canceled));
        Assert.True(cluster.Nodes[0].TryGet("k", out string? value, out long now));
        Assert.Equal(("v", version), (value, now));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    [Rule("P36")]
    public async Task TimedOutWithoutASession_WasNeverSent_AndSaysSo(string change)
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = time, o => o.OperationTimeout = TimeSpan.FromSeconds(2));
        long version = await cluster.Nodes[0].SetAsync("k", "v");
        await LoseSessionAsync(cluster, time);
        Task write = ChangeAsync(cluster.Nodes[1], change, version, CancellationToken.None);
        Task<Lookup<string>> read = cluster.Nodes[1].GetAsync("k").AsTask();
        await time.AdvanceUntilAsync(() => write.IsCompleted && read.IsCompleted, 3_000);
        Assert.False((await Assert.ThrowsAsync<AuthorityUnavailableException>(() => write)).IsOutcomeUnknown);
        await Assert.ThrowsAsync<AuthorityUnavailableException>(() => read);
        cluster.Links.Restore(cluster.Authority);
        await time.AdvanceUntilAsync(() => cluster.Nodes[1].State == CacheState.Serving, 1_000);
        Assert.Equal("v", (await cluster.Nodes[1].GetAsync("k")).Value);
        Assert.Equal(version, (await cluster.Nodes[0].GetAsync("k")).Version);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task NotSentWhenTheSessionIsLost_IsSentInTheNext(string change)
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = time);
        long version = await cluster.Nodes[0].SetAsync("k", "v");
        await LoseSessionAsync(cluster, time);
        Task write = ChangeAsync(cluster.Nodes[1], change, version, CancellationToken.None);
        Task<Lookup<string>> read = cluster.Nodes[1].GetAsync("k").AsTask();
        using var cancellation = new CancellationTokenSource();
        Task given = ChangeAsync(cluster.Nodes[1], change, version, cancellation.Token);
        await cancellation.CancelAsync();
        OperationCanceledException canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        Assert.IsNotType<WriteCanceledException>(canceled);
        Assert.False(write.IsCompleted || read.IsCompleted);

        cluster.Links.Restore(cluster.Authority);
        await time.AdvanceUntilAsync(() => write.IsCompleted && read.IsCompleted, 2_000);
        await write;
        string? expected = change switch { "remove" => null, "recall" => "v", _ => "w" };
        Assert.Equal(expected, (await read).Value);
        Lookup<string> found = await cluster.Nodes[0].GetAsync("k");
        Assert.Equal((expected, change == "recall" ? version : version + 1), (found.Value, found.Version));
    }

    [Fact]
    [Rule("P06", "P10", "SES-09")]
    public async Task Reads_GoOnUntilTheDeadline_ThenWait_ThenFail()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = time, o => o.OperationTimeout = TimeSpan.FromSeconds(2));
        await cluster.Nodes[1].SetAsync("k", "v");
        long deadline = cluster.Nodes[1].Engine.Session.Deadline;
        cluster.Links.Cut("node1");
        time.AdvanceTo(deadline - 1);
        Assert.Equal("v", (await cluster.Nodes[1].GetAsync("k")).Value);
        time.AdvanceTo(deadline);
        Task<Lookup<string>> read = cluster.Nodes[1].GetAsync("k").AsTask();
        time.Advance(1_999);
        await Task.Delay(50);
        Assert.False(read.IsCompleted);
        await time.AdvanceUntilAsync(() => read.IsCompleted, 1_000);
        Assert.False((await Assert.ThrowsAsync<AuthorityUnavailableException>(() => read)).IsOutcomeUnknown);
    }

    private static async Task ChangeAsync(CoherentCache<string, string> cache, string change, long version, CancellationToken token)
    {
        switch (change)
        {
            case "set":
                await cache.SetAsync("k", "w", cancellationToken: token);
                break;
            case "remove":
                await cache.RemoveAsync("k", token);
                break;
            case "try":
                Assert.True((await cache.TryUpdateAsync("k", version, "w", cancellationToken: token)).IsUpdated);
                break;
            case "recall":
                await cache.RecallAsync("k", token);
                break;
            default:
                await cache.SetManyAsync([new("k", "w")], cancellationToken: token);
                break;
        }
    }

    /// <summary>The second node's links are cut until it has given its session up.</summary>
    private static async Task LoseSessionAsync(Cluster<string> cluster, ManualTimeProvider time)
    {
        await cluster.Nodes[1].GetAsync("k");
        cluster.Links.Cut("node1");
        time.Advance(25_250);
        Assert.Equal(CacheState.Disconnected, cluster.Nodes[1].State);
    }

    private static void RunAll(SteppedScheduler scheduler)
    {
        for (int step = 0; step < 1_000 && scheduler.Waiting > 0; step++)
        {
            scheduler.RunNext();
        }
    }
}
