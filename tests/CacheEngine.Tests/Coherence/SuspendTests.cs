namespace CacheEngine.Tests.Coherence;

/// <summary>A machine that stands still while the wall clock goes on: the promise excludes what is read before the next tick, and not after it.</summary>
public class SuspendTests
{
    [Fact]
    [Rule("SES-29")]
    public async Task ResumedNode_WithinOneTick_ServesNothingUntilItsLeaseIsRenewed()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.TimeProvider = time);
        await cluster.Nodes[0].SetAsync("k", "v");
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
        cluster.Links.Cut("node0");

        // An hour passed outside; the monotonic clock saw a quarter of a second.
        time.AdvanceWall(TimeSpan.FromHours(1));
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
        time.Advance(250);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));

        cluster.Links.Restore(cluster.Authority);
        time.Advance(250);
        Assert.Equal("v", (await cluster.Nodes[0].GetAsync("k")).Value);
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
    }

    [Fact]
    public async Task WallClockSetBack_ChangesNothing()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.TimeProvider = time);
        await cluster.Nodes[0].SetAsync("k", "v");
        cluster.Links.Cut("node0");
        time.AdvanceWall(TimeSpan.FromHours(-1));
        time.Advance(250);
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
    }
}
