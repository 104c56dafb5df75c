using CacheEngine.Embedded;
using CacheEngine.Inodes;

namespace CacheEngine.Tests.Coherence;

/// <summary>Writers at the source that stall, dawdle, give up or die: who reads what afterwards.</summary>
[Rule("P08")]
public class StalledWriteTests
{
    private const long Term = 5_000;
    private const long Margin = 82;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Rule("P01", "P07", "SIM-01")]
    public async Task StalledUpdate_ArrivesAfterAnotherHasLoaded_TheRaisedFenceKeepsItOut()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> stalled = await StallAsync(cluster);
        long cutAt = _time.Now;
        Task<string> read = cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask();
        _time.AdvanceTo(cutAt + Term + Margin - 1);
        await Task.Delay(50);
        Assert.False(read.IsCompleted);
        await _time.AdvanceUntilAsync(() => read.IsCompleted, 1_000);
        Assert.Equal("none", await read);
        Assert.Equal("raise load", source.Log);

        Assert.False(source.TryWrite("k", stalled.Fence, "stalled"));
        Assert.True(cluster.Nodes[1].TryGet("k", out string? served));
        Assert.Equal(source["k"], served);
        await AssertLostAsync(cluster, stalled);
    }

    [Fact]
    public async Task Control_ASourceThatTakesAnyFence_IsServedStale()
    {
        // What the rule is for: the same steps, and the node that loaded goes on serving what the source has no more.
        var source = new FencedSource(ignoresFences: true);
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> stalled = await StallAsync(cluster);
        Task<string> read = cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask();
        await _time.AdvanceUntilAsync(() => read.IsCompleted, 7_000);
        Assert.True(source.TryWrite("k", stalled.Fence, "stalled"));
        Assert.True(cluster.Nodes[1].TryGet("k", out string? served));
        Assert.Equal(("none", "stalled"), (served, source["k"]));
    }

    [Theory]
    [Rule("P01", "SIM-01")]
    [InlineData(1_000, true)]
    [InlineData(1, false)]
    public async Task StalledUpdate_WithinItsStatedBound_IsThereBeforeAnybodyLoads_AndOnlyThen(int statedMilliseconds, bool isHonest)
    {
        // The second case is the control: a bound that is not kept is served stale.
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, TimeSpan.FromMilliseconds(statedMilliseconds));
        CacheWrite<string, string> stalled = await StallAsync(cluster);
        long cutAt = _time.Now;
        Task<string> read = cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask();

        // The last moment at which its node can have thought that it has the right, and the whole second that the source then takes.
        _time.AdvanceTo(cutAt + Term - Margin + 1_000);
        await Task.Delay(50);
        Assert.Equal(!isHonest, read.IsCompleted);
        Assert.True(source.TryWrite("k", stalled.Fence, "stalled"));
        await _time.AdvanceUntilAsync(() => read.IsCompleted, 1_000);
        Assert.True(cluster.Nodes[1].TryGet("k", out string? served));
        Assert.Equal(isHonest ? "stalled" : "none", served);
        Assert.Equal("stalled", source["k"]);
        await AssertLostAsync(cluster, stalled);
    }

    [Fact]
    [Rule("P05", "BRK-05")]
    public async Task Dawdler_KeepsItsRight_WhileNobodyWantsIt()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        _time.Advance(120_000);
        Assert.True(source.TryWrite("k", write.Fence, "v1"));
        write.Complete("v1");
        await write.DisposeAsync();
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
    }

    [Theory]
    [Rule("BRK-05")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dawdler_LosesItsRight_ABreakTimeoutAfterSomebodyWantsIt(bool anotherOfItsNodeIsFirst)
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        _time.Advance(10_000);
        Task<CacheWrite<string, string>>? local = anotherOfItsNodeIsFirst ? cluster.Nodes[0].BeginWriteAsync("k").AsTask() : null;
        Task<CacheWrite<string, string>> wanted = cluster.Nodes[1].BeginWriteAsync("k").AsTask();
        Task<CacheWrite<string, string>> first = local ?? wanted;
        long wantedAt = _time.Now;
        _time.AdvanceTo(wantedAt + 1_999);
        await Task.Delay(50);
        Assert.False(first.IsCompleted);
        _time.AdvanceTo(wantedAt + 2_000);
        CacheWrite<string, string> next = await first.WaitAsync(Patience);
        Assert.Throws<CapabilityLostException>(() => write.Complete("late"));
        Assert.False(source.TryWrite("k", write.Fence, "late"));
        await write.DisposeAsync();
        await CompleteAsync(next, source, "v1");
        if (local is not null)
        {
            await CompleteAsync(await wanted.WaitAsync(Patience), source, "v2");
        }

        Assert.Equal(source["k"], await cluster.Nodes[0].GetOrCreateAsync("k", source.LoadAsync));
        AssertIdle(cluster);
    }

    [Fact]
    [Rule("BRK-05")]
    public async Task Dawdler_WhoseNodeLostAnEarlierRightInSilence_LosesThisOneToo()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> silent = await cluster.Nodes[0].BeginWriteAsync("k");
        cluster.Links.Cut(LinkDirection.ToNode, "node0");
        Task<CacheWrite<string, string>> other = cluster.Nodes[1].BeginWriteAsync("k").AsTask();
        Task<CacheWrite<string, string>> again = cluster.Nodes[0].BeginWriteAsync("k").AsTask();
        await _time.AdvanceUntilAsync(() => other.IsCompleted, 6_000);
        await CompleteAsync(await other, source, "v1");

        // The revoke of the first right and the grant of the second arrive together, under a lease that the renewals in between have kept.
        cluster.Links.Restore(cluster.Authority);
        CacheWrite<string, string> dawdler = await again.WaitAsync(Patience);
        Assert.True(dawdler.Fence > silent.Fence);
        Assert.Throws<CapabilityLostException>(() => silent.Complete("late"));
        await silent.DisposeAsync();
        Task<CacheWrite<string, string>> wanted = cluster.Nodes[1].BeginWriteAsync("k").AsTask();
        await _time.AdvanceUntilAsync(() => wanted.IsCompleted, 3_000);
        Assert.Throws<CapabilityLostException>(() => dawdler.Complete("late"));
        await dawdler.DisposeAsync();
        await CompleteAsync(await wanted, source, "v2");
        using Inode.Hold hold = cluster.Nodes[0].Resolve("k").Enter();
        Assert.Equal(CapSet.None, hold.Used);
    }

    [Fact]
    public async Task CanceledWait_HoldsNothingAfterwards_AndLeavesTheObjectSettled()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        using var cancellation = new CancellationTokenSource();
        Task<CacheWrite<string, string>> waiting = cluster.Nodes[1].BeginWriteAsync("k", cancellation.Token).AsTask();
        Task<CacheWrite<string, string>> local = cluster.Nodes[0].BeginWriteAsync("k", cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        OperationCanceledException canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.IsNotType<WriteCanceledException>(canceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => local);
        await CompleteAsync(write, source, "v1");
        Assert.Equal("v1", await cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask().WaitAsync(Patience));
        Assert.Equal("v1", await cluster.Nodes[0].GetOrCreateAsync("k", source.LoadAsync).AsTask().WaitAsync(Patience));
        Assert.DoesNotContain("raise", source.Log, StringComparison.Ordinal);
        AssertIdle(cluster);
    }

    [Fact]
    public async Task NodeDisposedWithAnOpenWrite_TheNextReaderRaisesAtOnce()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> open = await cluster.Nodes[0].BeginWriteAsync("k");
        CacheWrite<string, string> said = await cluster.Nodes[0].BeginWriteAsync("other");
        said.Complete("v");
        await cluster.Nodes[0].DisposeAsync();
        Assert.Equal("none", await cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask().WaitAsync(Patience));
        Assert.Equal("raise load", source.Log);
        Assert.Throws<CapabilityLostException>(() => open.Complete("late"));
        await open.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await said.DisposeAsync());
    }

    [Fact]
    [Rule("P09", "P10")]
    public async Task RestartWithAnOpenWrite_ItsRightIsGone_AndTheNextFenceIsGreater()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> open = await cluster.Nodes[0].BeginWriteAsync("k");
        cluster.Authority.Restart();
        Task<CacheWrite<string, string>> next = cluster.Nodes[1].BeginWriteAsync("k").AsTask();
        await _time.AdvanceUntilAsync(() => next.IsCompleted, 6_000);
        Assert.True((await next).Fence > open.Fence);
        Assert.Equal("raise", source.Log);
        Assert.Throws<CapabilityLostException>(() => open.Complete("late"));
        await open.DisposeAsync();
        await CompleteAsync(await next, source, "v1");
        Assert.Equal("v1", await cluster.Nodes[0].GetOrCreateAsync("k", source.LoadAsync).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task SettlementThatIsNeverAnswered_SaysSo_AndItsNodeServesNothing()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source);
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        write.Complete("v1");
        cluster.Links.Cut("node0");
        Task settled = write.DisposeAsync().AsTask();
        await _time.AdvanceUntilAsync(() => settled.IsCompleted, 12_000);
        Assert.True((await Assert.ThrowsAsync<AuthorityUnavailableException>(() => settled)).IsOutcomeUnknown);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
    }

    /// <summary>A writer on the first node whose links are cut while its update is somewhere inside the source.</summary>
    private static async Task<CacheWrite<string, string>> StallAsync(Cluster<string> cluster)
    {
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        cluster.Links.Cut("node0");
        return write;
    }

    private static async Task AssertLostAsync(Cluster<string> cluster, CacheWrite<string, string> write)
    {
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        write.Complete("stalled");
        cluster.Links.Restore(cluster.Authority);
        await Assert.ThrowsAsync<CapabilityLostException>(async () => await write.DisposeAsync().AsTask().WaitAsync(Patience));
    }

    private static async Task CompleteAsync(CacheWrite<string, string> write, FencedSource source, string value)
    {
        Assert.True(source.TryWrite("k", write.Fence, value));
        write.Complete(value);
        await write.DisposeAsync();
    }

    private async Task<Cluster<string>> OpenAsync(FencedSource source, TimeSpan? maxWriteTime = null) =>
        await Cluster<string>.OpenAsync(2, o => o.TimeProvider = _time, o =>
        {
            source.Options(maxWriteTime)(o);
            o.BreakTimeout = TimeSpan.FromSeconds(2);
            o.OperationTimeout = TimeSpan.FromSeconds(10);
        });

    private static void AssertIdle(Cluster<string> cluster)
    {
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Engine.OperationsInFlight));
        cluster.Authority.Store.Inspect(record => Assert.True(record is { Owner.IsOpen: false, Requests.Count: 0, IsUnsettled: false }));
    }
}
