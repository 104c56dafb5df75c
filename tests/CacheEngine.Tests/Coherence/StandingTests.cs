using CacheEngine.Embedded;

namespace CacheEngine.Tests.Coherence;

/// <summary>A node's standing with its authority: reset, refusal, stop; one direction of the link dead.</summary>
public class StandingTests
{
    private const int Term = 1_000;

    /// <summary>One per cent of the term and twice the granularity.</summary>
    private const int Margin = 42;

    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Rule("T62", "H3")]
    public async Task Reset_AuthorityNeverAnswers_EveryCallerEndsByThen_AndTheLossIsExact()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        CoherentCache<string, string> node = cluster.Nodes[0];
        await node.SetAsync("dirty", "0", mode: WriteMode.Back);
        long last = await node.SetAsync("dirty", "1", mode: WriteMode.Back);
        await node.SetAsync("clean", "c");
        cluster.Links.Cut("node0");
        Task<Lookup<string>> read = node.GetAsync("other").AsTask();
        Task<long> write = node.SetAsync("clean", "d").AsTask();
        Task flush = node.FlushAsync("dirty").AsTask();

        Task<IReadOnlyList<LossReport>> reset = node.ResetAsync(TimeSpan.FromSeconds(5)).AsTask();
        Assert.False(reset.IsCompleted);
        _time.Advance(5_000);

        LossReport lost = Assert.Single(await reset);
        Assert.Equal(("dirty", last, last, LossReason.Reset), (lost.Key, lost.FirstVersion, lost.LastVersion, lost.Reason));
        await Assert.ThrowsAsync<AuthorityUnavailableException>(async () => await read);
        Assert.True((await Assert.ThrowsAsync<AuthorityUnavailableException>(async () => await write)).IsOutcomeUnknown);
        await Assert.ThrowsAsync<BufferedWritesLostException>(async () => await flush);
        Assert.False(node.TryGet("clean", out _));
        Assert.Equal((0, 0), node.Unflushed);

        cluster.Links.Restore(cluster.Authority);
        _time.Advance(2 * Term);
        Assert.Equal("0", (await node.GetAsync("dirty")).Value);
        await node.FlushAsync();
        await node.SetAsync("dirty", "2", mode: WriteMode.Back);
        Assert.Equal("2", (await cluster.Nodes[1].GetAsync("dirty")).Value);
    }

    [Fact]
    [Rule("T62")]
    public async Task Reset_AuthorityAnswers_FlushesAndLosesNothing()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        await cluster.Nodes[0].SetAsync("k", "0", mode: WriteMode.Back);
        await cluster.Nodes[0].SetAsync("k", "1", mode: WriteMode.Back);
        Assert.Empty(await cluster.Nodes[0].ResetAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal("1", (await cluster.Nodes[1].GetAsync("k")).Value);
        Assert.Equal("1", (await cluster.Nodes[0].GetAsync("k")).Value);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await cluster.Nodes[0].ResetAsync(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    [Rule("T58")]
    public async Task AuthorityDisposed_NodeIsRejected_OperationsFailAtOnce_DirtyIsReported()
    {
        await using Cluster<string> cluster = await OpenAsync(1);
        CoherentCache<string, string> node = cluster.Nodes[0];
        await node.SetAsync("k", "0", mode: WriteMode.Back);
        await node.SetAsync("k", "1", mode: WriteMode.Back);
        await cluster.Authority.DisposeAsync();
        _time.Advance(200);
        Assert.Equal(CacheState.Rejected, node.State);
        Assert.False(node.TryGet("k", out _));
        Task<Lookup<string>> read = node.GetAsync("k").AsTask();
        Assert.True(read.IsCompleted);
        await Assert.ThrowsAsync<AuthorityUnavailableException>(async () => await read);
        await Assert.ThrowsAsync<AuthorityUnavailableException>(async () => await node.SetAsync("k", "2"));
        Assert.Single((await Assert.ThrowsAsync<BufferedWritesLostException>(async () => await node.FlushAsync())).Losses);
        Task dispose = node.DisposeAsync().AsTask();
        Assert.True(dispose.IsCompleted);
    }

    [Fact]
    [Rule("P27", "P06", "DLG-14")]
    public async Task RenewalsAreAnswered_ButNoRevokeArrives_ServesNoLongerThanItsLease_AndKeepsWritesNoLonger()
    {
        // What it is owed is held back; renewals travel in a lane of their own.
        var links = new RevokeSilence();
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
        {
            LeaseTerm = TimeSpan.FromMilliseconds(Term),
            TimeProvider = _time,
            Links = links,
        });
        await using CoherentCache<string, string> deaf = await CoherentCache.OpenAsync(authority, "r", new CoherentCacheOptions<string, string> { NodeName = "deaf" });
        await using CoherentCache<string, string> other = await CoherentCache.OpenAsync(authority, "r", new CoherentCacheOptions<string, string> { NodeName = "other" });
        await deaf.SetAsync("clean", "old");
        await deaf.SetAsync("dirty", "0", mode: WriteMode.Back);
        links.IsSilent = true;
        await deaf.SetAsync("dirty", "1", mode: WriteMode.Back);
        long asked = _time.Now;
        Task<long> write = other.SetAsync("clean", "new").AsTask();
        Task<Lookup<string>> read = other.GetAsync("dirty").AsTask();
        Assert.True(IsWaitedFor(authority));
        Assert.True(deaf.TryGet("clean", out _));
        while (IsWaitedFor(authority))
        {
            _time.Advance(10);
            Assert.True(_time.Now <= asked + Term + Margin + 10, "others wait for longer than a term and the margin");
        }

        // When they are served, the deaf node has stopped by itself.
        Assert.False(deaf.TryGet("clean", out _));
        Assert.False(deaf.TryGet("dirty", out _));
        await write;
        await read;

        // Renewals go on being answered, and do not bring the lease back before everything owed was taken in.
        _time.Advance(3 * Term);
        Assert.Equal(CacheState.Lapsed, deaf.State);
        links.IsSilent = false;
        authority.WakeLinks();
        _time.Advance(Term);
        Assert.Equal("new", (await deaf.GetAsync("clean").AsTask().WaitAsync(TimeSpan.FromSeconds(5))).Value);
        Assert.Equal((await read).Value, (await deaf.GetAsync("dirty").AsTask().WaitAsync(TimeSpan.FromSeconds(5))).Value);
    }

    [Fact]
    [Rule("P06", "SES-08", "P36", "SES-25")]
    public async Task RevokesArrive_ButRenewalsAreNotAnswered_LapsesByItself_AndEndsWithTheSession()
    {
        await using Cluster<string> cluster = await OpenAsync(2);
        await cluster.Nodes[0].SetAsync("k", "0", mode: WriteMode.Back);
        long version = await cluster.Nodes[0].SetAsync("k", "1", mode: WriteMode.Back);
        cluster.Links.Cut(LinkDirection.ToAuthority, "node0");
        _time.Advance(Term);
        Assert.Equal(CacheState.Lapsed, cluster.Nodes[0].State);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        Task<Lookup<string>> read = cluster.Nodes[1].GetAsync("k").AsTask();
        _time.Advance(2 * Term);
        Lookup<string> seen = await read;
        Assert.Equal("0", seen.Value);
        Assert.True(seen.Version > version);
        cluster.Links.Restore(cluster.Authority);
        _time.Advance(8 * Term);
        Assert.Single((await Assert.ThrowsAsync<BufferedWritesLostException>(async () => await cluster.Nodes[0].FlushAsync("k"))).Losses);
        Assert.Equal(seen, await cluster.Nodes[0].GetAsync("k"));
    }

    [Fact]
    [Rule("T54", "T61")]
    public async Task Stop_WhileItsFlushIsNotAcknowledged_RenewalsGoOn()
    {
        var links = new RevokeSilence();
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
        {
            LeaseTerm = TimeSpan.FromMilliseconds(Term),
            TimeProvider = _time,
            Links = links,
        });
        await using CoherentCache<string, string> stopping = await CoherentCache.OpenAsync(authority, "r", new CoherentCacheOptions<string, string> { NodeName = "deaf" });
        await stopping.SetAsync("k", "0", mode: WriteMode.Back);
        await stopping.SetAsync("k", "1", mode: WriteMode.Back);
        links.IsSilent = true;
        Task stop = stopping.DisposeAsync().AsTask();
        int before = links.Renewals;
        _time.Advance(3 * Term);
        Assert.InRange(links.Renewals - before, 6, 12);
        Assert.False(stop.IsCompleted);
        links.IsSilent = false;
        authority.WakeLinks();
        await stop.WaitAsync(TimeSpan.FromSeconds(30));
        int atTheEnd = links.Renewals;
        _time.Advance(3 * Term);
        Assert.Equal(atTheEnd, links.Renewals);
        authority.Store.Inspect(record => Assert.Equal(("1", 0), (record.Payload.Reference, record.Holders.Count)));
    }

    /// <summary>Whether the authority has a request that it has not served.</summary>
    private static bool IsWaitedFor(EmbeddedAuthority authority)
    {
        bool isWaitedFor = false;
        authority.Store.Inspect(record => isWaitedFor |= record.Requests.Count > 0);
        return isWaitedFor;
    }

    private Task<Cluster<string>> OpenAsync(int nodes, Action<EmbeddedAuthorityOptions>? authority = null) => Cluster<string>.OpenAsync(nodes, o =>
    {
        o.LeaseTerm = TimeSpan.FromMilliseconds(Term);
        o.TimeProvider = _time;
        authority?.Invoke(o);
    });

    /// <summary>Messages to the deaf node take for ever; renewals and their answers do not.</summary>
    private sealed class RevokeSilence : LinkPolicy
    {
        public bool IsSilent { get; set; }

        public int Renewals { get; private set; }

        public override long Delay(LinkDirection direction, string node) => 0;

        public override bool IsOpen(LinkDirection direction, string node) => true;

        public override void Posted(string node, in Protocol.ClientMessage message) => Renewals += message.Kind == Protocol.ClientMessageKind.Renew ? 1 : 0;

        public override bool IsOpenForMessages(string node) => !IsSilent || node != "deaf";
    }
}
