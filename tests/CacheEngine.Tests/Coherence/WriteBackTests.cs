using CacheEngine.Embedded;

namespace CacheEngine.Tests.Coherence;

/// <summary>Writes that a node keeps back: who may, what others see, when they are flushed, what survives.</summary>
public class WriteBackTests
{
    private const int Term = 1_000;

    private readonly ManualTimeProvider _time = new();

    [Theory]
    [Rule("P01", "FLU-01", "H2")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Back_AnotherNodeReads_ItSeesTheLastWrite(bool copies)
    {
        await using Cluster<string> cluster = await OpenAsync(2, copies);
        await BackAsync(cluster.Nodes[0], "k", 10);
        Assert.Equal((1, 0), cluster.Nodes[0].Unflushed);
        Assert.True(cluster.Nodes[0].TryGet("k", out string? own));
        Assert.Equal("10", own);

        Lookup<string> seen = await cluster.Nodes[1].GetAsync("k");

        Assert.Equal("10", seen.Value);
        Assert.Equal((0, 0), cluster.Nodes[0].Unflushed);
        Assert.True(cluster.Nodes[0].TryGet("k", out own, out long version));
        Assert.Equal(("10", seen.Version), (own, version));
    }

    [Fact]
    [Rule("P10", "FLU-18")]
    public async Task Back_HoldingTheKeyAlone_AsksNobody_AndVersionsGrowByOne()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        long first = await cluster.Nodes[0].SetAsync("k", "first", mode: WriteMode.Back);
        cluster.Links.Cut("node0");
        for (int i = 1; i <= 1_000; i++)
        {
            Assert.Equal(first + i, await cluster.Nodes[0].SetAsync("k", $"{i}", mode: WriteMode.Back));
        }

        Assert.Equal((1, 0), cluster.Nodes[0].Unflushed);
        cluster.Links.Restore(cluster.Authority);
        await cluster.Nodes[0].FlushAsync("k");
        Lookup<string> seen = await cluster.Nodes[1].GetAsync("k");
        Assert.Equal(("1000", first + 1_000), (seen.Value, seen.Version));
    }

    [Fact]
    [Rule("T33", "T55")]
    public async Task Back_WrittenOverAgainAndAgain_IsFlushedAfterTheDelayAllTheSame()
    {
        await using Cluster<string> cluster = await OpenAsync(2, cache: o => o.WriteBackDelay = TimeSpan.FromMilliseconds(300));
        await BackAsync(cluster.Nodes[0], "k", 1);
        long dirtiedAt = _time.Now;
        int i = 0;
        while (cluster.Nodes[0].Unflushed.Dirty > 0 && _time.Now < dirtiedAt + 2_000)
        {
            _time.Advance(20);
            if (cluster.Nodes[0].Unflushed.Dirty > 0)
            {
                await cluster.Nodes[0].SetAsync("k", $"{++i}", mode: WriteMode.Back);
            }
        }

        Assert.InRange(_time.Now - dirtiedAt, 300, 300 + Term / 12 + 20);
    }

    [Fact]
    [Rule("T06", "P31")]
    public async Task Back_AsManyKeysDirtyAsMayBe_FurtherOnesGoThrough()
    {
        await using Cluster<string> cluster = await OpenAsync(1, cache: o => o.MaxDirtyEntries = 2);
        foreach (string key in new[] { "a", "b", "c" })
        {
            await BackAsync(cluster.Nodes[0], key, 1);
        }

        Assert.Equal((2, 0), cluster.Nodes[0].Unflushed);
        await cluster.Nodes[0].FlushAsync();
        Assert.Equal((0, 0), cluster.Nodes[0].Unflushed);
        Assert.Equal("1", (await cluster.Nodes[0].GetAsync("c")).Value);
    }

    [Fact]
    [Rule("FLU-16", "T04")]
    public async Task Flush_NothingDirty_SendsNothing_ButWaitsForWhatIsUnderWay()
    {
        await using Cluster<string> cluster = await OpenAsync(1, authority: o => o.CommitDelay = TimeSpan.FromMilliseconds(50));
        Task<long> first = cluster.Nodes[0].SetAsync("k", "0", mode: WriteMode.Back).AsTask();
        _time.Advance(50);
        await first;
        await cluster.Nodes[0].FlushAsync();
        await cluster.Nodes[0].SetAsync("k", "1", mode: WriteMode.Back);
        cluster.Links.Cut(LinkDirection.ToAuthority, "node0");
        Task one = cluster.Nodes[0].FlushAsync("k").AsTask();
        Task other = cluster.Nodes[0].FlushAsync().AsTask();
        Assert.Equal((0, 1), cluster.Nodes[0].Unflushed);
        Assert.False(one.IsCompleted);
        Assert.False(other.IsCompleted);
        cluster.Links.Restore(cluster.Authority);
        await one;
        await other;
    }

    [Fact]
    [Rule("T11", "FLU-17", "P14")]
    public async Task Flush_AuthorityCommitsLazily_IsDurableAtOnce_AndSurvivesItsCrash()
    {
        await using Cluster<string> cluster = await OpenAsync(2, authority: o => o.CommitDelay = TimeSpan.FromSeconds(5));
        Task<long> first = cluster.Nodes[0].SetAsync("k", "0", mode: WriteMode.Back).AsTask();
        _time.Advance(5_000);
        await first;
        await cluster.Nodes[0].SetAsync("k", "1", mode: WriteMode.Back);
        long before = _time.Now;

        await cluster.Nodes[0].FlushAsync("k");

        Assert.Equal(before, _time.Now);
        cluster.Links.Cut("node0");
        cluster.Authority.Restart(cutsTail: true);
        Task<Lookup<string>> read = cluster.Nodes[1].GetAsync("k").AsTask();
        _time.Advance(10 * Term);
        Assert.Equal("1", (await read).Value);
    }

    [Fact]
    [Rule("T01", "P15", "RVK-08", "REC-19")]
    public async Task Restart_AckLostAndAnotherNodeWroteSince_TheResentFlushIsAcknowledgedAndChangesNothing()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        await BackAsync(cluster.Nodes[0], "k", 1);
        cluster.Links.Cut(LinkDirection.ToNode, "node0");
        Task flush = cluster.Nodes[0].FlushAsync("k").AsTask();
        Assert.False(flush.IsCompleted);
        cluster.Authority.Restart();
        Task<long> write = cluster.Nodes[1].SetAsync("k", "newer").AsTask();
        _time.Advance(2 * Term);
        await write;
        cluster.Links.Restore(cluster.Authority);
        _time.Advance(6 * Term);

        await flush;

        Assert.Equal("newer", (await cluster.Nodes[0].GetAsync("k")).Value);
    }

    [Fact]
    [Rule("REC-01", "P11")]
    public async Task Restart_DirtyNode_KeepsItsRightAndItsWrites_AndItsCacheStaysWarm()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        await BackAsync(cluster.Nodes[0], "dirty", 1);
        await cluster.Nodes[1].SetAsync("clean", "c");
        long questions = cluster.Nodes[0].Questions + cluster.Nodes[1].Questions;

        cluster.Authority.Restart();

        _time.Advance(200);
        Assert.True(cluster.Nodes[0].TryGet("dirty", out string? dirty));
        Assert.Equal("1", dirty);
        Assert.True(cluster.Nodes[1].TryGet("clean", out _));
        await cluster.Nodes[0].SetAsync("dirty", "2", mode: WriteMode.Back);
        Assert.Equal(questions, cluster.Nodes[0].Questions + cluster.Nodes[1].Questions);
        Assert.Equal("2", (await cluster.Nodes[1].GetAsync("dirty")).Value);
    }

    [Fact]
    [Rule("H3", "P13", "T57", "SES-10", "SES-15")]
    public async Task NodeSilentPastItsLease_ItsWritesAreUndone_AndItIsToldOnce()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        var told = new List<LossReport>();
        cluster.Nodes[0].WritesLost += (_, loss) => told.Add(loss.Report);
        long kept = await BackAsync(cluster.Nodes[0], "k", 3);
        cluster.Links.Cut("node0");
        Task<Lookup<string>> read = cluster.Nodes[1].GetAsync("k").AsTask();
        _time.Advance(2 * Term);
        Lookup<string> seen = await read;
        Assert.Equal("0", seen.Value);
        Assert.True(seen.Version > kept);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));

        cluster.Links.Restore(cluster.Authority);
        _time.Advance(10 * Term);

        BufferedWritesLostException loss = await Assert.ThrowsAsync<BufferedWritesLostException>(async () => await cluster.Nodes[0].FlushAsync());
        LossReport report = Assert.Single(loss.Losses);
        Assert.Equal(("k", "Fw", kept - 2, kept, LossReason.RightLost), (report.Key, report.Rights, report.FirstVersion, report.LastVersion, report.Reason));
        await cluster.Nodes[0].FlushAsync();
        await cluster.Nodes[0].FlushAsync("k");
        Assert.Equal("0", (await cluster.Nodes[0].GetAsync("k")).Value);
        for (int i = 0; told.Count == 0 && i < 500; i++)
        {
            await Task.Delay(10);
        }

        Assert.Equal(report, Assert.Single(told));
    }

    [Fact]
    [Rule("SES-16", "P13")]
    public async Task Dispose_CannotFlush_ReturnsWithinItsBound_AndTellsWhatIsLost()
    {
        await using Cluster<string> cluster = await OpenAsync(1, cache: o => o.OperationTimeout = TimeSpan.FromSeconds(2));
        CoherentCache<string, string> node = cluster.Nodes[0];
        long last = await BackAsync(node, "k", 2);
        cluster.Links.Cut("node0");
        var told = new TaskCompletionSource<LossReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        node.WritesLost += (_, loss) => told.TrySetResult(loss.Report);
        Task dispose = node.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await node.SetAsync("k", "late", mode: WriteMode.Back));
        Assert.False(dispose.IsCompleted);
        _time.Advance(2_500);
        await dispose;
        LossReport report = await told.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal((last, LossReason.Stopped), (report.LastVersion, report.Reason));
    }

    [Fact]
    [Rule("P14")]
    public async Task Dispose_FlushesFirst()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        await BackAsync(cluster.Nodes[0], "k", 5);
        await cluster.Nodes[0].DisposeAsync();
        Assert.Equal("5", (await cluster.Nodes[1].GetAsync("k")).Value);
    }

    [Fact]
    [Rule("FLU-05", "FLU-14", "T18")]
    public async Task OwnChangesAfterBufferedOnes_ComeAfterThem()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        CoherentCache<string, string> node = cluster.Nodes[0];
        long back = await BackAsync(node, "k", 3);
        Assert.True(await node.SetAsync("k", "through") > back);
        Assert.Equal("through", (await cluster.Nodes[1].GetAsync("k")).Value);

        await BackAsync(node, "k", 3);
        Lookup<string> updated = await node.UpdateAsync("k", "+", static (old, more) => old + more);
        Assert.Equal("3+", updated.Value);

        back = await BackAsync(node, "k", 4);
        UpdateResult result = await node.TryUpdateAsync("k", back, "expected");
        Assert.True(result.IsUpdated);

        await BackAsync(node, "k", 2);
        await node.RemoveAsync("k");
        Assert.Equal((0, 0), node.Unflushed);
        await cluster.Nodes[1].SetAsync("k", "again");
        _time.Advance(5 * Term);
        Assert.Equal("again", (await node.GetAsync("k")).Value);

        await BackAsync(node, "k", 2);
        await node.RecallAsync("k");
        Assert.Equal("2", (await node.GetAsync("k")).Value);
    }

    [Fact]
    [Rule("C19", "FLU-11", "T23")]
    public async Task Back_LargerThanTheLimit_AsksInTime_AndWaitsForRoom_AlsoOverARestart()
    {
        await using Cluster<string> cluster = await OpenAsync(
            1, authority: o => o.Quota = new(stepBytes: 100, ceilingBytes: 1_000), cache: o => o.SizeOf = static value => value.Length);
        CoherentCache<string, string> node = cluster.Nodes[0];
        await node.SetAsync("k", "x", mode: WriteMode.Back);
        await node.SetAsync("k", new string('a', 60), mode: WriteMode.Back);
        await node.SetAsync("k", new string('b', 120), mode: WriteMode.Back);
        Assert.Equal((1, 0), node.Unflushed);

        cluster.Links.Cut("node0");
        Task<long> large = node.SetAsync("k", new string('c', 900), mode: WriteMode.Back).AsTask();
        Assert.False(large.IsCompleted);
        cluster.Authority.Restart();
        cluster.Links.Restore(cluster.Authority);
        _time.Advance(300);
        await large;
        Assert.Equal((1, 0), node.Unflushed);

        // Above what is ever given it goes through.
        await node.SetAsync("k", new string('d', 1_001), mode: WriteMode.Back);
        Assert.Equal((0, 0), node.Unflushed);
        Assert.Equal(1_001, (await node.GetAsync("k")).Value!.Length);
    }

    [Fact]
    public async Task Back_ValueThatEnds_EndsHereAndElsewhere()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        var brief = new CoherentCacheEntryOptions { Expiration = TimeSpan.FromMilliseconds(400) };
        await cluster.Nodes[0].SetAsync("k", "0", mode: WriteMode.Back);
        await cluster.Nodes[0].SetAsync("k", "brief", brief, WriteMode.Back);
        _time.Advance(500);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        Task<Lookup<string>> own = cluster.Nodes[0].GetAsync("k").AsTask();
        _time.Advance(100);
        Assert.Equal(LookupStatus.Absent, (await own).Status);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].GetAsync("k")).Status);
    }

    [Fact]
    public async Task Back_BadInput_ChangesNothing()
    {
        await using Cluster<string> cluster = await OpenAsync(1);
        CoherentCache<string, string> node = cluster.Nodes[0];
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await node.SetAsync("k", "v", mode: (WriteMode)2));
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await node.SetAsync(null!, "v", mode: WriteMode.Back));
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await node.FlushAsync(null!));
        await node.FlushAsync("never heard of");
        await node.FlushAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await node.FlushAsync(new CancellationToken(true)));
        Assert.Equal(0, node.Count);
        await using CoherentCache<string, string> source = await CoherentCache.OpenAsync(
            cluster.Authority, "source", new CoherentCacheOptions<string, string> { Placement = ValuePlacement.Source });
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await source.SetAsync("k", "v", mode: WriteMode.Back));
    }

    private Task<Cluster<string>> OpenAsync(
        int nodes, bool copies = false, Action<EmbeddedAuthorityOptions>? authority = null, Action<CoherentCacheOptions<string, string>>? cache = null) =>
        Cluster<string>.OpenAsync(
            nodes,
            o =>
            {
                o.LeaseTerm = TimeSpan.FromMilliseconds(Term);
                o.TimeProvider = _time;
                o.CopyValues = copies;
                authority?.Invoke(o);
            },
            cache);

    /// <summary>Takes the right to keep writes back with a first one, and then writes the numbers up to the last.</summary>
    private static async Task<long> BackAsync(CoherentCache<string, string> node, string key, int last)
    {
        long version = await node.SetAsync(key, "0", mode: WriteMode.Back);
        for (int i = 1; i <= last; i++)
        {
            version = await node.SetAsync(key, $"{i}", mode: WriteMode.Back);
        }

        return version;
    }
}
