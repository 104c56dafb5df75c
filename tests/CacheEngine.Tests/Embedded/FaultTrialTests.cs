using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>The faults that an application may try on an authority, seen through its links, with messages written by hand.</summary>
public sealed class FaultTrialTests : IAsyncLifetime
{
    private const long Term = 1_000;
    private const long SilentAfter = Term + 20;

    private readonly Dictionary<ISessionLink, ulong> _numbers = [];
    private readonly ManualTimeProvider _time = new();
    private readonly Guid _identity = Guid.NewGuid();
    private EmbeddedAuthority _authority = null!;
    private ISessionLink _a = null!;
    private ISessionLink _b = null!;
    private int _wakesOfA;

    public async Task InitializeAsync()
    {
        _authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
        {
            TimeProvider = _time,
            LeaseTerm = TimeSpan.FromMilliseconds(Term),
            ClockDrift = 0.01,
            ClockGranularity = TimeSpan.FromMilliseconds(5),
        });
        _a = await OpenAsync("a", _identity);
        _b = await OpenAsync("b", Guid.NewGuid());
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    [Rule("P05")]
    public void Isolate_HolderOfTheRight_WriterWaitsForItsLeaseOnly()
    {
        Grant(_a);
        long lastHeardAt = _time.Now;
        _time.Advance(100);
        _authority.Isolate("a");
        Renew(_a);
        Post(_b, ClientMessageKind.Write);
        _time.AdvanceTo(lastHeardAt + SilentAfter - 1);
        Assert.False(_b.TryReceive(out _));
        _time.AdvanceTo(lastHeardAt + SilentAfter);
        Receive(_b, AuthorityMessageKind.Written);
        Assert.False(_a.TryReceive(out _));
    }

    [Fact]
    public void Isolate_NothingCrossesInEitherDirection_UntilRejoin()
    {
        Grant(_a);
        Post(_b, ClientMessageKind.Write);
        _authority.Isolate("a");
        _authority.Isolate("a");
        Renew(_a);
        Post(_a, ClientMessageKind.Recall);
        Assert.False(_a.TryReceive(out _));
        Assert.False(_a.TryReceiveRenewal(out _));
        int wakes = _wakesOfA;

        _authority.Rejoin("a");
        Assert.True(_wakesOfA > wakes);
        Assert.True(_a.TryReceiveRenewal(out _));
        Receive(_a, AuthorityMessageKind.Revoke);

        // The recall was taken in behind the write: it waits for it, and that for the revoke's answer.
        Assert.False(_a.TryReceive(out _));
        _time.Advance(2 * SilentAfter);
        Receive(_b, AuthorityMessageKind.Written);
        Assert.Equal(0, _authority.RefusedMessages);
    }

    [Fact]
    public void Isolate_OtherNodes_AreServedAsBefore()
    {
        _authority.Isolate("a");
        Renew(_b);
        Assert.True(_b.TryReceiveRenewal(out _));
        Post(_b, ClientMessageKind.Write);
        Receive(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    [Rule("P05")]
    public void Isolate_LongerThanTheSessionTimeout_TheNodeLearnsWhenItRejoins()
    {
        Grant(_a);
        _authority.Isolate("a");
        _time.Advance(7 * Term);
        _authority.Store.Inspect(static record => Assert.Empty(record.Holders));
        Assert.False(_a.TryReceive(out _));
        _authority.Rejoin("a");
        Receive(_a, AuthorityMessageKind.SessionEnded);
    }

    [Fact]
    public async Task Isolate_OpeningUnderThatName_IsAnsweredWhenItRejoins()
    {
        _authority.Isolate("c");
        Task<ISessionLink> opening = OpenAsync("c", Guid.NewGuid());
        _time.Advance(5 * Term);
        Assert.False(opening.IsCompleted);
        using var impatient = new CancellationTokenSource();
        Task<ISessionLink> canceled = OpenAsync("c", Guid.NewGuid(), cancellationToken: impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);

        _authority.Rejoin("c");
        await _time.AdvanceUntilAsync(() => opening.IsCompleted, 5 * Term);
        Post(await opening, ClientMessageKind.Write);
        Receive(await opening, AuthorityMessageKind.Written);
    }

    [Fact]
    public async Task Isolate_OpeningUnderThatName_EndsWithTheAuthority()
    {
        _authority.Isolate("c");
        Task<ISessionLink> opening = OpenAsync("c", Guid.NewGuid());
        await _authority.DisposeAsync();
        await _time.AdvanceUntilAsync(() => opening.IsCompleted, 5 * Term);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => opening);
    }

    [Fact]
    [Rule("P01", "P06")]
    public void Evict_HolderOfTheRight_IsTold_AndItsRightsLastUntilTheyHaveRunOut()
    {
        Grant(_a);
        _time.Advance(400);
        long evictedAt = _time.Now;
        Assert.Equal(1, _authority.Evict("a"));
        Receive(_a, AuthorityMessageKind.SessionEnded);
        Renew(_a);
        Post(_a, ClientMessageKind.Write);
        Assert.False(_a.TryReceiveRenewal(out _));

        Post(_b, ClientMessageKind.Write);
        _time.AdvanceTo(evictedAt + SilentAfter - 1);
        Assert.False(_b.TryReceive(out _));
        _time.AdvanceTo(evictedAt + SilentAfter);
        Receive(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    [Rule("P22")]
    public async Task Evict_HolderThatOpensAnotherSession_ItsRightsAreOverAtOnce()
    {
        Grant(_a);
        Post(_b, ClientMessageKind.Write);
        _authority.Evict("a");
        Assert.False(_b.TryReceive(out _));
        _a = await OpenAsync("a", _identity);
        Post(_a, ClientMessageKind.ClaimsDone);
        Receive(_b, AuthorityMessageKind.Written);
        Grant(_a);
    }

    [Fact]
    public void Evict_IsolatedNode_IsNotTold_AndDelaysAWriterByNoMoreThanATerm()
    {
        Grant(_a);
        _authority.Isolate("a");
        long evictedAt = _time.Now;
        Assert.Equal(1, _authority.Evict("a"));
        Post(_b, ClientMessageKind.Write);
        Assert.False(_a.TryReceive(out _));
        _time.AdvanceTo(evictedAt + SilentAfter);
        Receive(_b, AuthorityMessageKind.Written);
        _authority.Rejoin("a");
        Receive(_a, AuthorityMessageKind.SessionEnded);
    }

    [Fact]
    public async Task Evict_TellsHowManySessionsItEnded()
    {
        await OpenAsync("a", Guid.NewGuid());
        Assert.Equal(2, _authority.Evict("a"));
        Assert.Equal(0, _authority.Evict("a"));
        Assert.Equal(0, _authority.Evict("nobody"));
        Grant(_b);
    }

    [Fact]
    public async Task BadNamesAndADisposedAuthority_AreRefused()
    {
        Action<string>[] trials = [_authority.Isolate, _authority.Rejoin, name => _authority.Evict(name)];
        foreach (Action<string> trial in trials)
        {
            Assert.Throws<ArgumentNullException>(() => trial(null!));
            Assert.Throws<ArgumentException>(() => trial(string.Empty));
        }

        await _authority.DisposeAsync();
        foreach (Action<string> trial in trials)
        {
            Assert.Throws<ObjectDisposedException>(() => trial("a"));
        }
    }

    private async Task<ISessionLink> OpenAsync(string node, Guid identity, CancellationToken cancellationToken = default) =>
        await _authority.OpenSessionAsync(
            new SessionOpening("region", "shape", node, identity, default),
            node == "a" ? () => _wakesOfA++ : static () => { },
            cancellationToken);

    private static void Renew(ISessionLink link) =>
        link.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = link.Id, Renew = new RenewSeq(1) });

    private void Post(ISessionLink link, ClientMessageKind kind)
    {
        ulong number = _numbers.GetValueOrDefault(link) + 1;
        _numbers[link] = number;
        link.Post(new ClientMessage
        {
            Kind = kind,
            Session = link.Id,
            Sequence = new MessageSeq(number),
            RequestId = (long)number,
            Key = new byte[] { 1 },
            Payload = kind == ClientMessageKind.Write ? Payload.OfReference("value") : default,
        });
    }

    private void Grant(ISessionLink link)
    {
        Post(link, ClientMessageKind.Acquire);
        Receive(link, AuthorityMessageKind.Grant);
    }

    private static void Receive(ISessionLink link, AuthorityMessageKind kind)
    {
        Assert.True(link.TryReceive(out AuthorityMessage message), $"nothing, not {kind}");
        Assert.Equal(kind, message.Kind);
    }
}
