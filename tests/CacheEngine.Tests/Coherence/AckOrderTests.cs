using CacheEngine.Protocol;

namespace CacheEngine.Tests.Coherence;

/// <summary>What acknowledgements clean at a node, in every order, early, late and again.</summary>
public sealed class AckOrderTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedAuthority _authority;
    private CoherentCache<string, string> _node = null!;

    public AckOrderTests() => _authority = new ScriptedAuthority(_time);

    public async Task InitializeAsync()
    {
        _node = await CoherentCache.OpenAsync<string, string>(_authority, "region", new() { WriteBackDelay = TimeSpan.FromHours(1) });
        Task<long> first = _node.SetAsync("k", "0", mode: WriteMode.Back).AsTask();
        _authority.GiveBuffer(Assert.Single(_authority.Posted));
        Assert.Equal(100, await first.WaitAsync(Patience));
        _authority.Posted.Clear();
    }

    public Task DisposeAsync()
    {
        _node.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    [Rule("T03", "FLU-03", "SC-61")]
    public async Task AckOfTheOlder_CleansItAlone_AndLateOrAgainNothing()
    {
        (Task one, ClientMessage first) = await FlushAsync("1");
        (Task two, ClientMessage second) = await FlushAsync("2");
        Assert.Equal((1ul, 2ul, 1ul), (first.Tid.Value, second.Tid.Value, second.Floor.Value));
        for (int i = 0; i < 2; i++)
        {
            _authority.Acknowledge(first);
            await one.WaitAsync(Patience);
            Assert.False(two.IsCompleted);
            Assert.Equal((0, 1), _node.Unflushed);
        }

        _authority.Acknowledge(second);
        await two.WaitAsync(Patience);
        Assert.Equal((0, 0), _node.Unflushed);
    }

    [Fact]
    [Rule("T03", "FLU-03", "SC-65", "P16")]
    public async Task AckOfTheNewer_EndsAllBefore_AndTheLateOneOfTheOlderIsIgnored()
    {
        (Task one, ClientMessage first) = await FlushAsync("1");
        (Task two, ClientMessage second) = await FlushAsync("2");
        _authority.Acknowledge(second);
        await one.WaitAsync(Patience);
        await two.WaitAsync(Patience);
        Assert.Equal((0, 0), _node.Unflushed);

        (Task three, ClientMessage third) = await FlushAsync("3");
        _authority.Acknowledge(first);
        _authority.Acknowledge(second);
        Assert.Equal((3ul, false, (0, 1)), (third.Floor.Value, three.IsCompleted, _node.Unflushed));
        _authority.Acknowledge(third);
        await three.WaitAsync(Patience);
    }

    [Fact]
    [Rule("FLU-06", "SC-63", "T10")]
    public async Task AckWhileDirtyAgain_CleansNothingNewer()
    {
        (Task one, ClientMessage first) = await FlushAsync("1");
        await _node.SetAsync("k", "2", mode: WriteMode.Back);
        _authority.Acknowledge(first);
        await one.WaitAsync(Patience);
        Assert.Equal((1, 0), _node.Unflushed);
        Assert.Equal("1", first.Payload.Reference);
    }

    [Fact]
    [Rule("P14", "T11")]
    public async Task AckThatItWasApplied_IsNotEnough()
    {
        (Task one, ClientMessage first) = await FlushAsync("1");
        _authority.Acknowledge(first, isDurable: false);
        Assert.Equal((false, (0, 1)), (one.IsCompleted, _node.Unflushed));

        // What is durable does not become merely applied again.
        (Task two, ClientMessage second) = await FlushAsync("2");
        _authority.Acknowledge(second);
        _authority.Acknowledge(first, isDurable: false);
        await one.WaitAsync(Patience);
        await two.WaitAsync(Patience);
        Assert.Equal((0, 0), _node.Unflushed);
    }

    [Fact]
    [Rule("P13", "FLU-07")]
    public async Task Refusal_LosesThatRecordAlone_AndTellsItToWhomItConcerns()
    {
        (Task one, ClientMessage first) = await FlushAsync("1");
        (Task two, ClientMessage second) = await FlushAsync("2");
        _authority.Refuse(first);
        BufferedWritesLostException lost = await Assert.ThrowsAsync<BufferedWritesLostException>(() => one.WaitAsync(Patience));
        Assert.Equal((1L, 101L), (Assert.Single(lost.Losses).FlushTid, lost.Losses[0].LastVersion));
        Assert.Equal((false, (0, 1)), (two.IsCompleted, _node.Unflushed));
        _authority.Acknowledge(second);

        // It was waiting when the loss came, and what it waited for came after.
        lost = await Assert.ThrowsAsync<BufferedWritesLostException>(() => two.WaitAsync(Patience));
        Assert.Single(lost.Losses);
        await _node.FlushAsync("k").AsTask().WaitAsync(Patience);
        await _node.FlushAsync().AsTask().WaitAsync(Patience);
    }

    [Fact]
    [Rule("T01", "T14", "P15")]
    public async Task SessionLost_EveryRecordComesAgainWithItsTid_InOrder_AndAppliedOnesToo()
    {
        (_, ClientMessage first) = await FlushAsync("1");
        (_, ClientMessage second) = await FlushAsync("2");
        _authority.Acknowledge(first, isDurable: false);
        _authority.Send(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded });
        Assert.Equal(
            [ClientMessageKind.Claim, ClientMessageKind.ClaimsDone, ClientMessageKind.Flush, ClientMessageKind.Flush], _authority.Posted.Select(static message => message.Kind));
        Assert.Equal(
            [(first.Tid, first.Version, first.Payload), (second.Tid, second.Version, second.Payload)],
            _authority.Posted.Skip(2).Select(static message => (message.Tid, message.Version, message.Payload)));
        Assert.All(_authority.Posted, static message => Assert.Equal(1ul, message.Floor.Value));
        Assert.Equal([1ul, 2ul, 3ul, 4ul], _authority.Posted.Select(static message => message.Sequence.Value));
    }

    [Theory]
    [Rule("REC-05", "P10", "P11")]
    [InlineData(0, true, true)]
    [InlineData(1, true, false)]
    [InlineData(0, false, false)]
    public void ClaimedValue_IsServedAgainOnlyIfItsVersionStands(long above, bool hasValue, bool isServed)
    {
        Assert.True(_node.TryGet("k", out _));
        _authority.Send(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded });
        Assert.False(_node.TryGet("k", out _));
        ClientMessage claim = _authority.Posted[0];
        Assert.Equal((ClientMessageKind.Claim, 100), (claim.Kind, claim.Version));
        _authority.Send(new AuthorityMessage
        {
            Kind = AuthorityMessageKind.Standing,
            RequestId = claim.RequestId,
            Inode = claim.Inode,
            Cookie = claim.Cookie,
            Cap = claim.Cap,
            Seq = claim.Seq.Next(),
            Caps = Arbitration.Rights.AfterWrite,
            Version = claim.Version + above,
            HasValue = hasValue,
        });
        Assert.Equal(isServed, _node.TryGet("k", out _));
    }

    private async Task<(Task Flush, ClientMessage Message)> FlushAsync(string value)
    {
        await _node.SetAsync("k", value, mode: WriteMode.Back);
        _authority.Posted.Clear();
        Task flush = _node.FlushAsync("k").AsTask();
        return (flush, Assert.Single(_authority.Posted));
    }
}
