using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>What an authority does with repeated, lost and superseded things, through its links and with messages written by hand.</summary>
public sealed class SessionEndTests : IAsyncLifetime
{
    private const long Term = 1_000;
    private const long SilentAfter = Term + 20;

    private readonly Dictionary<ISessionLink, ulong> _numbers = [];
    private readonly ManualTimeProvider _time = new();
    private readonly Guid _identity = Guid.NewGuid();
    private EmbeddedAuthority _authority = null!;
    private ISessionLink _a = null!;
    private ISessionLink _b = null!;

    public async Task InitializeAsync()
    {
        _authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
        {
            TimeProvider = _time,
            LeaseTerm = TimeSpan.FromMilliseconds(Term),
            ClockDrift = 0.01,
            ClockGranularity = TimeSpan.FromMilliseconds(5),
        });
        _a = await OpenAsync(_identity);
        _b = await OpenAsync(Guid.NewGuid());
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    [Rule("P23")]
    public void Repetition_HasOneEffectAndOneAnswer()
    {
        ClientMessage write = Numbered(_a, ClientMessageKind.Write, "one");
        _a.Post(write);
        AuthorityMessage written = Receive(_a, AuthorityMessageKind.Written);
        for (int i = 0; i < 3; i++)
        {
            _a.Post(write);
            Assert.False(_a.TryReceive(out _));
        }

        Assert.Equal((written.Version, 0), (Version(), _authority.RefusedMessages));
        _a.Post(Numbered(_a, ClientMessageKind.Write, "two"));
        Assert.Equal(written.Version + 1, Receive(_a, AuthorityMessageKind.Written).Version);
    }

    [Fact]
    [Rule("P23")]
    public void OtherContentUnderAUsedNumber_IsRefused_AndTheSessionGoesOn()
    {
        ClientMessage write = Numbered(_a, ClientMessageKind.Write, "one");
        _a.Post(write);
        AuthorityMessage written = Receive(_a, AuthorityMessageKind.Written);
        ClientMessage[] others =
        [
            write with { Kind = ClientMessageKind.Remove, Payload = default },
            write with { RequestId = 99 },
            write with { Precondition = Arbitration.Precondition.Exactly(0) },
            write with { TimeToLive = 5 },
            write with { Cap = new Caps.CapId(5) },
            write with { Payload = Payload.OfBytes(new byte[] { 1 }) },
        ];
        for (int i = 0; i < others.Length; i++)
        {
            _a.Post(others[i]);
            Assert.True(_authority.RefusedMessages == i + 1, $"message {i}");
            Assert.False(_a.TryReceive(out _));
            Assert.Equal(written.Version, Version());
        }

        _a.Post(Numbered(_a, ClientMessageKind.Remove));
        Receive(_a, AuthorityMessageKind.Written);
    }

    [Fact]
    public void AGap_CutsTheSessionOff_AndItsMessageHasNoEffect()
    {
        Grant(_a);
        _ = Numbered(_a, ClientMessageKind.Acquire);
        _a.Post(Numbered(_a, ClientMessageKind.Write, "after the gap"));
        Assert.Equal(AuthorityMessageKind.SessionEnded, Last(_a).Kind);
        Assert.Equal(1, _authority.RefusedMessages);
        Assert.Equal(0, Version());

        // Its rights last as long as its lease can.
        long cutAt = _time.Now;
        _b.Post(Numbered(_b, ClientMessageKind.Write, "one"));
        _time.AdvanceTo(cutAt + SilentAfter - 1);
        Assert.False(_b.TryReceive(out _));
        _time.AdvanceTo(cutAt + SilentAfter);
        Receive(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    public void AMalformedMessage_UsesItsNumberUp_AndThoseBehindItAreTaken()
    {
        _a.Post(Numbered(_a, ClientMessageKind.Write, "one") with { Payload = default });
        _a.Post(Numbered(_a, ClientMessageKind.Settle) with { Settlement = Arbitration.Settlement.Completed });
        Assert.Equal(2, _authority.RefusedMessages);
        _a.Post(Numbered(_a, ClientMessageKind.Write, "two"));
        Receive(_a, AuthorityMessageKind.Written);
    }

    [Fact]
    [Rule("P22")]
    public async Task Reopened_AndDoneWithItsClaims_TheOldRightsAreOverAtOnce()
    {
        Grant(_a);
        _b.Post(Numbered(_b, ClientMessageKind.Write, "one"));
        Assert.False(_b.TryReceive(out _));
        ISessionLink again = await ReopenAsync(_identity);
        Receive(_b, AuthorityMessageKind.Written);
        Assert.NotEqual(_a.Id, again.Id);
        _a.Post(Numbered(_a, ClientMessageKind.Write, "from before"));
        Assert.False(_b.TryReceive(out _));
        again.Post(Numbered(again, ClientMessageKind.Acquire));
        Receive(again, AuthorityMessageKind.Grant);
    }

    [Fact]
    [Rule("P22", "P06")]
    public async Task Reopened_WithoutAWordOnItsClaims_TheOldSessionIsCutOff_AndItsRightsAreTakenToTheMillisecond()
    {
        Grant(_a);
        _time.Advance(400);
        ISessionLink again = await OpenAsync(_identity);
        long cutAt = _time.Now;
        Assert.Equal(AuthorityMessageKind.SessionEnded, Last(_a).Kind);
        _a.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = _a.Id, Renew = new RenewSeq(1) });
        Assert.False(_a.TryReceiveRenewal(out _));
        again.Post(Numbered(again, ClientMessageKind.Write, "one"));
        _time.AdvanceTo(cutAt + SilentAfter - 1);
        Assert.False(again.TryReceive(out _));
        _time.AdvanceTo(cutAt + SilentAfter);
        Receive(again, AuthorityMessageKind.Written);
    }

    [Fact]
    [Rule("P22")]
    public async Task DoneWithClaims_DoesSomebodyElsesSessionNoHarm()
    {
        Grant(_b);
        ISessionLink thief = await ReopenAsync(Guid.NewGuid());
        ISessionLink again = await ReopenAsync(_identity);
        thief.Post(Numbered(thief, ClientMessageKind.Write, "one"));
        again.Post(Numbered(again, ClientMessageKind.Acquire));
        Assert.False(thief.TryReceive(out _));
        Receive(_b, AuthorityMessageKind.Revoke);
        _b.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = _b.Id, Renew = new RenewSeq(1) });
        Assert.True(_b.TryReceiveRenewal(out _));
    }

    [Fact]
    [Rule("P09", "P10")]
    public async Task Restart_EndsSessions_KeepsValues_AndNumbersGrow()
    {
        _a.Post(Numbered(_a, ClientMessageKind.Write, "one"));
        long before = Receive(_a, AuthorityMessageKind.Written).Version;
        long fence = OwnAndSettle(_b).Value;
        _time.AdvanceWall(TimeSpan.FromDays(-1));
        _authority.Restart();
        Assert.Equal(AuthorityMessageKind.SessionEnded, Last(_a).Kind);
        Assert.Equal(AuthorityMessageKind.SessionEnded, Last(_b).Kind);

        ISessionLink again = await ReopenAsync(_identity);
        AuthorityMessage grant = Grant(again);
        Assert.Equal(("one", before), (grant.Payload.Reference, grant.Version));
        again.Post(Numbered(again, ClientMessageKind.Write, "two"));

        // The one that was not heard of again keeps its rights for a term.
        Assert.False(again.TryReceive(out _));
        _time.Advance(SilentAfter);
        Assert.True(Receive(again, AuthorityMessageKind.Written).Version - before > Arbitration.Incarnation.PerMillisecond / 2);
        Assert.True(OwnAndSettle(again).Value - fence > Arbitration.Incarnation.PerMillisecond / 2);
    }

    [Fact]
    public async Task Restart_Twice_AndDisposed_IsRefused()
    {
        _authority.Restart();
        _authority.Restart();
        Grant(await ReopenAsync(_identity));
        await _authority.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(_authority.Restart);
    }

    [Fact]
    [Rule("P01")]
    public async Task Dispose_GivesNobodysRightsAway()
    {
        AuthorityMessage grant = Grant(_a);
        _b.Post(Numbered(_b, ClientMessageKind.Write, "one"));
        await _authority.DisposeAsync();
        _a.Post(new ClientMessage { Kind = ClientMessageKind.Close, Session = _a.Id });
        _time.Advance(20 * Term);
        Assert.Equal(0, Version());
        _authority.Store.Inspect(record => Assert.Equal(grant.Cap, Assert.Single(record.Holders).State.Cap));
    }

    [Fact]
    public async Task AnInodeOfAnotherRegion_IsNotSpokenOf()
    {
        AuthorityMessage grant = Grant(_a);
        ISessionLink stranger = await _authority.OpenSessionAsync(
            new SessionOpening("other", "shape", "node", Guid.NewGuid(), default), static () => { }, CancellationToken.None);
        ClientMessageKind[] kinds =
        [
            ClientMessageKind.Acquire, ClientMessageKind.Write, ClientMessageKind.Own, ClientMessageKind.Recall, ClientMessageKind.CapUpdate, ClientMessageKind.Release,
        ];
        for (int i = 0; i < kinds.Length; i++)
        {
            stranger.Post(Numbered(stranger, kinds[i], kinds[i] == ClientMessageKind.Write ? "v" : null) with
            {
                Key = default,
                Inode = grant.Inode,
                Cap = grant.Cap,
                Seq = grant.Seq,
            });
            Assert.Equal(i + 1, _authority.RefusedMessages);
            Assert.False(stranger.TryReceive(out _));
            Assert.False(_a.TryReceive(out _));
        }

        _authority.Store.Inspect(record => Assert.Equal(Desk.ServeAndPin, Assert.Single(record.Holders).State.Issued));
    }

    private async Task<ISessionLink> OpenAsync(Guid identity) => await _authority.OpenSessionAsync(
        new SessionOpening("region", "shape", "node", identity, default), static () => { }, CancellationToken.None);

    /// <summary>Opens the identity's next session, which says at once that it has nothing to claim.</summary>
    private async Task<ISessionLink> ReopenAsync(Guid identity)
    {
        ISessionLink link = await OpenAsync(identity);
        link.Post(Numbered(link, ClientMessageKind.ClaimsDone) with { Key = default });
        return link;
    }

    private Fence OwnAndSettle(ISessionLink link)
    {
        link.Post(Numbered(link, ClientMessageKind.Own));
        if (!link.TryReceive(out AuthorityMessage owned))
        {
            AuthorityMessage revoke = Receive(_a, AuthorityMessageKind.Revoke);
            _a.Post(Numbered(_a, ClientMessageKind.CapUpdate) with { Cap = revoke.Cap, Seq = revoke.Seq, Caps = CapSet.Pin });
            owned = Receive(link, AuthorityMessageKind.Grant);
        }

        link.Post(Numbered(link, ClientMessageKind.Settle) with
        {
            Ownership = new Arbitration.Ownership(owned.RequestId, owned.Fence),
            Settlement = Arbitration.Settlement.Abandoned,
        });
        Receive(link, AuthorityMessageKind.Written);
        return owned.Fence;
    }

    private ClientMessage Numbered(ISessionLink link, ClientMessageKind kind, string? value = null)
    {
        ulong number = _numbers.GetValueOrDefault(link) + 1;
        _numbers[link] = number;
        return new ClientMessage
        {
            Kind = kind,
            Session = link.Id,
            Sequence = new MessageSeq(number),
            RequestId = (long)number,
            Key = new byte[] { 1 },
            Payload = value is null ? default : Payload.OfReference(value),
        };
    }

    private AuthorityMessage Grant(ISessionLink link)
    {
        link.Post(Numbered(link, ClientMessageKind.Acquire));
        return Receive(link, AuthorityMessageKind.Grant);
    }

    private static AuthorityMessage Receive(ISessionLink link, AuthorityMessageKind kind)
    {
        Assert.True(link.TryReceive(out AuthorityMessage message), $"nothing, not {kind}");
        Assert.Equal(kind, message.Kind);
        return message;
    }

    private static AuthorityMessage Last(ISessionLink link)
    {
        AuthorityMessage last = default;
        while (link.TryReceive(out AuthorityMessage message))
        {
            last = message;
        }

        return last;
    }

    private long Version()
    {
        long version = -1;
        _authority.Store.Inspect(record => version = record.Version);
        return version;
    }
}
