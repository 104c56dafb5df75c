using CacheEngine.Embedded;

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

    [Theory]
    [Rule("SES-29")]
    [InlineData("served")]
    [InlineData("asked")]
    [InlineData("written")]
    public async Task ResumedNode_ServesNoValueWhoseTimeHasPassedMeanwhile(string before)
    {
        // Its monotonic clock did not count the ten seconds, so the time that it was told has not passed by it.
        var outside = new ManualTimeProvider();
        var inside = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, o => o.TimeProvider = outside, o => o.TimeProvider = inside);
        await using CoherentCache<string, string> other = await CoherentCache.OpenAsync<string, string>(cluster.Authority, "region");
        CoherentCache<string, string> node = cluster.Nodes[0];
        var options = new CoherentCacheEntryOptions { Expiration = TimeSpan.FromSeconds(5) };
        Task under = Task.CompletedTask;
        switch (before)
        {
            case "served":
                await other.SetAsync("k", "v", options);
                await node.GetAsync("k");
                break;
            case "asked":
                await other.SetAsync("k", "v", options);
                cluster.Links.Cut(LinkDirection.ToNode, "node0");
                under = node.GetAsync("k").AsTask();
                break;
            default:
                cluster.Links.Cut(LinkDirection.ToNode, "node0");
                under = node.SetAsync("k", "v", options).AsTask();
                break;
        }

        outside.Advance(10_000);
        inside.AdvanceWall(TimeSpan.FromSeconds(10));
        inside.Advance(250);
        Assert.False(node.TryGet("k", out _));
        cluster.Links.Restore(cluster.Authority);
        inside.Advance(250);
        await under.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(CacheState.Serving, node.State);
        Assert.Equal(LookupStatus.Absent, (await other.GetAsync("k")).Status);
        Assert.False(node.TryGet("k", out _));
        Assert.Equal(LookupStatus.Absent, (await node.GetAsync("k")).Status);
    }

    [Fact]
    [Rule("SES-29")]
    public async Task ResumedNode_FlushesNoValueWhoseTimeHasPassedMeanwhile()
    {
        var outside = new ManualTimeProvider();
        var inside = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, o => o.TimeProvider = outside, o => o.TimeProvider = inside);
        await using CoherentCache<string, string> other = await CoherentCache.OpenAsync<string, string>(cluster.Authority, "region");
        CoherentCache<string, string> node = cluster.Nodes[0];
        var options = new CoherentCacheEntryOptions { Expiration = TimeSpan.FromSeconds(5) };
        await node.SetAsync("k", "0", mode: WriteMode.Back);
        await node.SetAsync("k", "v", options, WriteMode.Back);

        // What this node has acknowledged with a life of five seconds has ended by every clock but the one that stood still.
        outside.Advance(10_000);
        inside.AdvanceWall(TimeSpan.FromSeconds(10));
        inside.Advance(250);
        Assert.Equal(LookupStatus.Absent, (await other.GetAsync("k").AsTask().WaitAsync(TimeSpan.FromSeconds(5))).Status);
        await node.FlushAsync("k");
    }
}
