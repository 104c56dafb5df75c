using System.Diagnostics;
using CacheEngine.Embedded;

namespace CacheEngine.Tests.Coherence;

/// <summary>A node that is not heard of any more: how long it delays others, and what it serves meanwhile.</summary>
public class SilentNodeTests
{
    private static readonly TimeSpan Term = TimeSpan.FromMilliseconds(400);

    // 400 ms x 0.01 + 2 x 16 ms, on both sides.
    private const double MarginMilliseconds = 36;

    // What a busy two-core machine adds to a timer.
    private const double SlackMilliseconds = 600;

    [Fact]
    [Rule("P01", "P05", "P06", "SES-09")]
    public async Task SilentNode_DelaysAWriterByAtMostTheTermAndMargin_AndServesNothingAfterItsDeadline()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = Term);
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        using var stop = new CancellationTokenSource();
        long lastServedAt = 0;
        var reader = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                long call = Stopwatch.GetTimestamp();
                if (cluster.Nodes[1].TryGet("k", out string? value) && value == "v1")
                {
                    lastServedAt = call;
                }
            }
        });
        reader.Start();

        cluster.Links.Cut("node1");
        long start = Stopwatch.GetTimestamp();
        long acknowledged;
        try
        {
            await cluster.Nodes[0].SetAsync("k", "v2");
            acknowledged = Stopwatch.GetTimestamp();
            await Task.Delay(Term);
        }
        finally
        {
            // In any case before the cache is disposed: what the thread throws then would hide what was thrown here.
            await stop.CancelAsync();
            reader.Join();
        }

        double waited = Stopwatch.GetElapsedTime(start, acknowledged).TotalMilliseconds;
        Assert.InRange(waited, 0.3 * Term.TotalMilliseconds, Term.TotalMilliseconds + MarginMilliseconds + SlackMilliseconds);
        Assert.True(lastServedAt > start, "the silent node should have served until its deadline");
        Assert.True(lastServedAt < acknowledged, "the silent node served the old value after the write was acknowledged");
        Assert.False(cluster.Nodes[1].TryGet("k", out _));
    }

    [Fact]
    [Rule("P05", "RVK-15")]
    public async Task SilentNode_WhoseRightsNobodyWants_KeepsThem_AndServesAgainWhenItIsBack()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = Term);
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        cluster.Links.Cut("node1");
        await Task.Delay(Term * 1.5);
        Assert.False(cluster.Nodes[1].TryGet("k", out _));

        long asked = cluster.Nodes[1].Questions;
        cluster.Links.Restore(cluster.Authority);
        await WaitUntilAsync(() => cluster.Nodes[1].TryGet("k", out _));

        Assert.Equal(asked, cluster.Nodes[1].Questions);
        Assert.Equal("v1", (await cluster.Nodes[1].GetAsync("k")).Value);
    }

    [Fact]
    [Rule("P10")]
    public async Task SilentNode_WhoseRightWasTaken_LearnsItBeforeItServesAgain()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = Term);
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        cluster.Links.Cut("node1");
        await cluster.Nodes[0].SetAsync("k", "v2");

        cluster.Links.Restore(cluster.Authority);
        Assert.Equal("v2", (await cluster.Nodes[1].GetAsync("k")).Value);
    }

    [Theory]
    [Rule("P27")]
    [InlineData(LinkDirection.ToNode)]
    [InlineData(LinkDirection.ToAuthority)]
    internal async Task OneWaySilence_DelaysAWriterNoLongerThanAWholeOne(LinkDirection direction)
    {
        // Its renewals arrive but no revoke reaches it; or revokes reach it but neither answer nor renewal leaves.
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = Term);
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        cluster.Links.Cut(direction, "node1");
        await Task.Delay(Term / 2);

        long start = Stopwatch.GetTimestamp();
        await cluster.Nodes[0].SetAsync("k", "v2");

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 0, Term.TotalMilliseconds + MarginMilliseconds + SlackMilliseconds);
        Assert.False(cluster.Nodes[1].TryGet("k", out _));
    }

    [Fact]
    public async Task NodeSilentForLongerThanItsSession_OpensAnother_AndItsWaitersGoOn()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o =>
        {
            o.LeaseTerm = TimeSpan.FromMilliseconds(150);
            o.SessionTimeout = TimeSpan.FromMilliseconds(300);
        });
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        cluster.Links.Cut("node1");
        Task<Lookup<string>> read = cluster.Nodes[1].GetAsync("other").AsTask();
        Task<long> write = cluster.Nodes[1].SetAsync("k", "lost").AsTask();
        await Task.Delay(700);

        cluster.Links.Restore(cluster.Authority);

        Assert.Equal(LookupStatus.Absent, (await read.WaitAsync(TimeSpan.FromSeconds(5))).Status);
        AuthorityUnavailableException error = await Assert.ThrowsAsync<AuthorityUnavailableException>(() => write.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.True(error.IsOutcomeUnknown);
        Assert.Equal("v1", (await cluster.Nodes[1].GetAsync("k")).Value);
        await cluster.Nodes[1].SetAsync("k", "v2");
        Assert.Equal("v2", (await cluster.Nodes[0].GetAsync("k")).Value);
    }

    [Fact]
    [Rule("P36")]
    public async Task UnreachableAuthority_EndsOperationsByTheirBound_AndSaysWhatIsUnknown()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(
            1, o => o.LeaseTerm = TimeSpan.FromSeconds(1), o => o.OperationTimeout = TimeSpan.FromMilliseconds(200));
        cluster.Links.Cut("node0");
        long start = Stopwatch.GetTimestamp();

        AuthorityUnavailableException read = await Assert.ThrowsAsync<AuthorityUnavailableException>(async () => await cluster.Nodes[0].GetAsync("k"));
        AuthorityUnavailableException write = await Assert.ThrowsAsync<AuthorityUnavailableException>(async () => await cluster.Nodes[0].SetAsync("k", "v"));

        Assert.False(read.IsOutcomeUnknown);
        Assert.True(write.IsOutcomeUnknown);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.3, 3);
        Assert.Equal(0, cluster.Nodes[0].Engine.OperationsInFlight);
    }

    [Fact]
    public async Task CanceledWrite_ThatWasSent_GoesOn_AndNothingOldIsServedMeanwhile()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        await cluster.Nodes[0].SetAsync("k", "v1");
        cluster.Links.Cut("node0");
        using var cancellation = new CancellationTokenSource();
        Task<long> write = cluster.Nodes[0].SetAsync("k", "v2", cancellationToken: cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));

        cluster.Links.Restore(cluster.Authority);
        Assert.Equal("v2", (await cluster.Nodes[0].GetAsync("k")).Value);
    }

    [Fact]
    public async Task CanceledRead_ChangesNothing_AndTheNextReadIsAnswered()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        await cluster.Nodes[0].SetAsync("k", "v1");
        cluster.Links.Cut("node1");
        using var cancellation = new CancellationTokenSource();
        Task<Lookup<string>> canceled = cluster.Nodes[1].GetAsync("k", cancellation.Token).AsTask();
        Task<Lookup<string>> patient = cluster.Nodes[1].GetAsync("k").AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);

        cluster.Links.Restore(cluster.Authority);
        Assert.Equal("v1", (await patient).Value);
        Assert.Equal(0, cluster.Nodes[1].Engine.OperationsInFlight);
    }

    [Fact]
    [Rule("SES-19")]
    public async Task StarvedThreadPool_EndsTheServingInTime()
    {
        // Renewals may come late when every pool thread is blocked; then the deadline ends the right by itself. Either way nothing is stale.
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = Term);
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        cluster.Links.Cut("node1");
        using var release = new ManualResetEventSlim();
        Task[] blockers = [.. Enumerable.Range(0, 64).Select(_ => Task.Run(release.Wait))];
        Thread.Sleep(Term * 1.2);

        bool served = cluster.Nodes[1].TryGet("k", out _);

        release.Set();
        await Task.WhenAll(blockers);
        Assert.False(served);
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 5, "waited too long");
            await Task.Delay(5);
        }
    }
}
