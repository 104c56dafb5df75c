using CacheEngine.Embedded;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Tests.Sync;

namespace CacheEngine.Tests.Coherence;

/// <summary>A session that ends, or a reset that comes, at the worst moment of the recovery from the one before.</summary>
public class RecoveryRaceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    [Rule("SES-20", "H8")]
    public async Task SessionIsLost_InTheLastStepOfItsRecovery_TheNextOneIsRecoveredAllTheSame()
    {
        var time = new HookedTime();
        var authority = new ScriptedAuthority(time);
        CoherentCache<string, string> cache = await OpenDirtyAsync(authority);

        // After the last message of the recovery the outbound pump takes one more step: between its look at the link and its end the session is lost.
        authority.OnPosted = sent =>
        {
            if (sent.Kind != ClientMessageKind.ClaimsDone || authority.Sessions != 2)
            {
                return;
            }

            time.BeforeNextReadHere(() =>
            {
                authority.Send(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded });
                Assert.True(SpinWait.SpinUntil(() => authority.Sessions == 3, Patience));
            });
        };
        authority.Send(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded });
        Assert.True(SpinWait.SpinUntil(() => authority.Sessions == 3, Patience));
        SpinWait.SpinUntil(() => authority.Posted.Count >= 2, TimeSpan.FromSeconds(2));
        Assert.Equal([ClientMessageKind.Claim, ClientMessageKind.ClaimsDone], authority.Posted.Select(sent => sent.Kind));
        await DiscardAsync(cache);
    }

    [Fact]
    [Rule("T62", "H8")]
    public async Task Reset_WhileAnOpeningIsAnswered_NobodyIsForgottenBetweenTheTwoSessions()
    {
        var authority = new ScriptedAuthority(new ManualTimeProvider());
        CoherentCache<string, string> cache = await OpenDirtyAsync(authority);
        var answer = new TaskCompletionSource();
        authority.Opening = () => answer.Task;
        authority.Send(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded });
        Assert.True(SpinWait.SpinUntil(() => cache.State == CacheState.Disconnected, Patience));
        Task<Lookup<string>>? read = null;
        cache.Engine.WriteBack.Lost = _ =>
        {
            // In the midst of the reset the opening that was under way is answered, and somebody asks.
            authority.Opening = null;
            answer.SetResult();
            SpinWait.SpinUntil(() => cache.Engine.Session.Link is not null, TimeSpan.FromSeconds(1));
            read = cache.GetAsync("k").AsTask();
            SpinWait.SpinUntil(() => authority.Posted.Any(sent => sent.Kind == ClientMessageKind.Acquire), TimeSpan.FromSeconds(1));
        };
        Assert.Single(await cache.ResetAsync(TimeSpan.Zero));
        Assert.True(SpinWait.SpinUntil(() => cache.State == CacheState.Serving, Patience));
        SpinWait.SpinUntil(() => read!.IsCompleted || authority.Posted.Any(sent => sent.Kind == ClientMessageKind.Acquire), TimeSpan.FromSeconds(2));
        int sessions = authority.Sessions;
        authority.Send(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded });
        Assert.True(SpinWait.SpinUntil(() => authority.Sessions > sessions, Patience), "nobody opens another session any more");
        Assert.True(read!.IsCompleted || authority.Posted.Any(sent => sent.Kind == ClientMessageKind.Acquire), "a reader waits for the answer of a session that is gone");
        await cache.DisposeAsync();
    }

    [Fact]
    [Rule("SES-20", "H8")]
    public async Task Recovery_BegunAnewBeforeItsFirstStep_StillClaimsEverything()
    {
        var authority = new ScriptedAuthority(new ManualTimeProvider());
        CoherentCache<string, string> cache = await OpenDirtyAsync(authority);
        var answer = new TaskCompletionSource();
        authority.Opening = () => answer.Task;
        authority.Send(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded });
        Engine engine = cache.Engine;
        Assert.True(SpinWait.SpinUntil(() => cache.State == CacheState.Disconnected, Patience));
        SpinWait.SpinUntil(() => false, 50);

        // The session that was opened is lost, and its objects swept, before the outbound pump has begun to recover in it.
        var recovery = new Recovery(engine.WriteBack.Ledger);
        recovery.Add(cache.Resolve("k"));
        recovery.Begin();
        recovery.Begin();
        Assert.True(recovery.TryRunOne(new Sending(engine.Session, null!, new Outbox(1), now: 0), out ClientMessage first));
        Assert.Equal(ClientMessageKind.Claim, first.Kind);
        answer.SetResult();
        await DiscardAsync(cache);
    }

    [Fact]
    [Rule("T62")]
    public async Task Reset_AskedForTwice_NeitherIsOverBeforeItIsDone()
    {
        var scheduler = new SteppedScheduler();
        var authority = new ScriptedAuthority(new ManualTimeProvider());
        await using CoherentCache<string, string> cache =
            await CoherentCache.OpenAsync(authority, "r", new CoherentCacheOptions<string, string> { Scheduler = scheduler });
        Task<IReadOnlyList<LossReport>> first = cache.ResetAsync(TimeSpan.Zero).AsTask();
        Task<IReadOnlyList<LossReport>> second = cache.ResetAsync(TimeSpan.Zero).AsTask();
        await Task.Delay(100);
        Assert.False(first.IsCompleted);
        Assert.False(second.IsCompleted);
        scheduler.RunAll();
        Assert.Empty(await first.WaitAsync(Patience));
        Assert.Empty(await second.WaitAsync(Patience));
    }

    [Fact]
    [Rule("T58", "H3")]
    public async Task Refused_WhileDirtyKeysAreGivenUp_AFlushOfAllIsToldOfThem()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.TimeProvider = time);
        CoherentCache<string, string> node = cluster.Nodes[0];
        foreach (string key in (string[])["a", "b"])
        {
            await node.SetAsync(key, "0", mode: WriteMode.Back);
            await node.SetAsync(key, "1", mode: WriteMode.Back);
        }

        Task? flush = null;
        node.Engine.WriteBack.Lost = _ => flush ??= node.FlushAsync().AsTask();
        await cluster.Authority.DisposeAsync();
        await time.AdvanceUntilAsync(() => flush is not null, 10_000);
        var lost = await Assert.ThrowsAsync<BufferedWritesLostException>(() => flush!.WaitAsync(Patience));
        Assert.Equal(["a", "b"], lost.Losses.Select(report => report.Key).Order());
    }

    [Theory]
    [Rule("T62", "SES-16")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reset_ItsGoodbyeIsLost_AnUndoneVersionIsNeverGivenAgain(bool knowsOfTheBreak)
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = time);
        CoherentCache<string, string> node = cluster.Nodes[0];
        await node.SetAsync("k", "0", mode: WriteMode.Back);
        long undone = await node.SetAsync("k", "1", mode: WriteMode.Back);
        cluster.Links.Cut(LinkDirection.ToAuthority, "node0");
        if (!knowsOfTheBreak)
        {
            cluster.Links.Cut(LinkDirection.ToNode, "node0");
        }

        cluster.Authority.CutOff("node0");
        Assert.Equal(knowsOfTheBreak ? CacheState.Disconnected : CacheState.Serving, node.State);
        LossReport lost = Assert.Single(await node.ResetAsync(TimeSpan.Zero));
        Assert.Equal(undone, lost.LastVersion);
        cluster.Links.Restore(cluster.Authority);
        await time.AdvanceUntilAsync(() => node.State == CacheState.Serving, 5_000);
        await node.GetAsync("elsewhere");
        Assert.InRange(await cluster.Nodes[1].SetAsync("k", "2").AsTask().WaitAsync(Patience), undone + 1, long.MaxValue);
    }

    private static async Task<CoherentCache<string, string>> OpenDirtyAsync(ScriptedAuthority authority)
    {
        CoherentCache<string, string> cache =
            await CoherentCache.OpenAsync(authority, "r", new CoherentCacheOptions<string, string> { Scheduler = new PoolScheduler() });
        Task<long> write = cache.SetAsync("k", "0", mode: WriteMode.Back).AsTask();
        Assert.True(SpinWait.SpinUntil(() => authority.Posted.Count == 1, Patience));
        authority.GiveBuffer(authority.Posted[0]);
        await write.WaitAsync(Patience);
        Assert.Equal(101, await cache.SetAsync("k", "1", mode: WriteMode.Back));
        return cache;
    }

    /// <summary>Nobody takes what is flushed in, and the clock stands still: a disposal would wait for ever.</summary>
    private static async Task DiscardAsync(CoherentCache<string, string> cache)
    {
        Assert.Single(await cache.ResetAsync(TimeSpan.Zero));
        await cache.DisposeAsync();
    }

    /// <summary>A clock that stands still and does something once, when one thread looks at it.</summary>
    private sealed class HookedTime : TimeProvider
    {
        private readonly ManualTimeProvider _time = new();
        private Action? _then;
        private int _thread;

        public override long TimestampFrequency => _time.TimestampFrequency;

        public void BeforeNextReadHere(Action then) => (_thread, _then) = (Environment.CurrentManagedThreadId, then);

        public override long GetTimestamp()
        {
            if (_thread == Environment.CurrentManagedThreadId && Interlocked.Exchange(ref _then, null) is { } then)
            {
                then();
            }

            return _time.GetTimestamp();
        }

        public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            _time.CreateTimer(callback, state, dueTime, period);
    }
}
