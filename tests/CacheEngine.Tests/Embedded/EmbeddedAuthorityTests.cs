using System.Text;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>The authority through its links, with messages written by hand: no engine at the other end.</summary>
public sealed class EmbeddedAuthorityTests : IAsyncLifetime
{
    private const long Term = 1_000;
    private const long SilentAfter = Term + 20;

    private readonly Dictionary<ISessionLink, ulong> _numbers = [];
    private readonly ManualTimeProvider _time = new();
    private EmbeddedAuthority _authority = null!;
    private ISessionLink _a = null!;
    private ISessionLink _b = null!;

    public async Task InitializeAsync()
    {
        _authority = Create(TimeSpan.Zero);
        _a = await OpenAsync(_authority, "a");
        _b = await OpenAsync(_authority, "b");
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public void Post_Malformed_IsRefusedWholeAndChangesNothing()
    {
        InodeId known = Grant(_a).Inode;
        (int, string) before = Dump();
        ClientMessage good = Write("one") with { Session = _a.Id };
        CapSet undefined = CapSet.FromBits(0x2);
        ClientMessage[] bad =
        [
            good with { Session = _b.Id },
            good with { Session = new SessionId(99) },
            good with { Inode = new InodeId(99), Key = default },
            good with { Inode = default, Key = default },
            good with { Caps = undefined },
            good with { Wanted = undefined | CapSet.Pin },
            good with { Payload = default },
            good with { Kind = ClientMessageKind.None },
            good with { Kind = ClientMessageKind.Close + 1 },
            good with { Kind = ClientMessageKind.Fill, Payload = default, Inode = known },
            good with { Kind = ClientMessageKind.Close, Session = _b.Id },
        ];
        for (int i = 0; i < bad.Length; i++)
        {
            Post(_a, bad[i]);
            Assert.True(_authority.RefusedMessages == i + 1, $"message {i}: {bad[i]}");
            Assert.Equal(before, Dump());
            Assert.False(_a.TryReceive(out _));
            Assert.False(_b.TryReceive(out _));
        }

        // And the link is as good as before.
        Post(_a, good with { Session = _a.Id });
        Assert.True(_a.TryReceive(out AuthorityMessage written));
        Assert.Equal(AuthorityMessageKind.Written, written.Kind);
        Assert.Equal(bad.Length, _authority.RefusedMessages);
    }

    [Fact]
    public void Renew_ForAnotherSession_IsRefusedAndExtendsNothing()
    {
        _time.Advance(500);
        _a.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = _b.Id, Renew = new RenewSeq(1) });
        Assert.Equal(1, _authority.RefusedMessages);
        Assert.False(_a.TryReceiveRenewal(out _));
        Assert.False(_b.TryReceiveRenewal(out _));
    }

    [Fact]
    public void Renew_IsAnsweredWithWhatIsOwedAtThatMoment()
    {
        Grant(_a);
        Post(_b, Write("one") with { Session = _b.Id });
        _a.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = _a.Id, Renew = new RenewSeq(7) });
        Assert.True(_a.TryReceiveRenewal(out AuthorityMessage renewed));
        Assert.Equal(new RenewSeq(7), renewed.Renew);

        // The grant was the first message, the revoke that is still under way the second.
        Assert.Equal(new MessageSeq(2), renewed.OwedThrough);
        Assert.True(_a.TryReceive(out AuthorityMessage revoke));
        Assert.Equal((AuthorityMessageKind.Revoke, new MessageSeq(2)), (revoke.Kind, revoke.Sequence));
    }

    [Fact]
    [Rule("SES-09", "P04")]
    public void LookAgain_HolderIsSilent_WritesWhenItsLeaseIsOverAndNobodyAsks()
    {
        Grant(_a);
        long receivedAt = _time.Now;
        _time.Advance(100);
        Post(_b, Write("one") with { Session = _b.Id });
        _time.AdvanceTo(receivedAt + SilentAfter - 1);
        Assert.False(_b.TryReceive(out _));
        _time.AdvanceTo(receivedAt + SilentAfter);
        Assert.True(_b.TryReceive(out AuthorityMessage written));
        Assert.Equal(AuthorityMessageKind.Written, written.Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Rule("P27")]
    public void LookAgain_HolderSaysThatItTookTheRevokeInAndRenews_IsWaitedFor(bool byMessage)
    {
        AuthorityMessage grant = Grant(_a);
        Post(_b, Write("one") with { Session = _b.Id });
        Assert.True(_a.TryReceive(out AuthorityMessage revoke));
        long revokedAt = _time.Now;
        _time.Advance(500);
        var renewal = new ClientMessage { Kind = ClientMessageKind.Renew, Session = _a.Id, Renew = new RenewSeq(1) };
        if (byMessage)
        {
            // It still uses what it was asked for.
            Post(_a, new ClientMessage
            {
                Kind = ClientMessageKind.CapUpdate,
                Session = _a.Id,
                Inode = grant.Inode,
                Cap = grant.Cap,
                Seq = revoke.Seq,
                Caps = Desk.ServeAndPin,
                TookIn = revoke.Sequence,
            });
        }
        else
        {
            renewal.TookIn = revoke.Sequence;
        }

        _a.Renew(renewal);
        _time.AdvanceTo(revokedAt + SilentAfter);
        Assert.False(_b.TryReceive(out _));
        _time.AdvanceTo(revokedAt + 500 + SilentAfter);
        Assert.True(_b.TryReceive(out _));
    }

    [Fact]
    [Rule("P05")]
    public void SessionTimeout_SilentSession_IsEndedAndTheOtherIsNot()
    {
        Grant(_a);
        for (int i = 0; i < 14; i++)
        {
            _time.Advance(Term / 2);
            _b.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = _b.Id, Renew = new RenewSeq((ulong)i + 1) });
        }

        Assert.True(_a.TryReceive(out AuthorityMessage ended));
        Assert.Equal(AuthorityMessageKind.SessionEnded, ended.Kind);
        Assert.False(_b.TryReceive(out _));
        _authority.Store.Inspect(static record => Assert.Empty(record.Holders));

        // Nothing of the ended session is handled any more.
        (int, string) before = Dump();
        Post(_a, Write("late") with { Session = _a.Id });
        Assert.Equal(before, Dump());
    }

    [Fact]
    public void Close_EndsTheSessionAndServesWhoWaitedForIt()
    {
        Grant(_a);
        Post(_b, Write("one") with { Session = _b.Id });
        Assert.False(_b.TryReceive(out _));
        Post(_a, new ClientMessage { Kind = ClientMessageKind.Close, Session = _a.Id });
        Assert.True(_b.TryReceive(out AuthorityMessage written));
        Assert.Equal(AuthorityMessageKind.Written, written.Kind);
    }

    [Fact]
    public async Task Latency_EachMessageTakesItsTimeInEachDirection()
    {
        await using EmbeddedAuthority authority = Create(TimeSpan.FromMilliseconds(30));
        Task<ISessionLink> opening = OpenAsync(authority, "a");
        Assert.False(opening.IsCompleted);
        _time.Advance(30);
        await WaitForTimerAsync(opening);
        _time.Advance(30);
        ISessionLink link = await opening;

        long sentAt = _time.Now;
        Post(link, Write("one") with { Session = link.Id });
        _time.AdvanceTo(sentAt + 59);
        Assert.False(link.TryReceive(out _));
        _time.AdvanceTo(sentAt + 60);
        Assert.True(link.TryReceive(out AuthorityMessage written));
        Assert.Equal(AuthorityMessageKind.Written, written.Kind);
    }

    [Fact]
    public async Task OpenSession_AnotherShape_IsRefusedNamingTheRegion()
    {
        var opening = new SessionOpening("region", "another shape", "node", Guid.NewGuid(), default);
        InvalidOperationException refused = await Assert.ThrowsAsync<SessionRejectedException>(async () => await _authority.OpenSessionAsync(opening, static () => { }, CancellationToken.None));
        Assert.Contains("'region'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_TellsEverySessionAndOpensNoMore()
    {
        await _authority.DisposeAsync();
        Assert.True(_a.TryReceive(out AuthorityMessage ended));
        Assert.Equal(AuthorityMessageKind.SessionEnded, ended.Kind);
        Assert.True(_b.TryReceive(out ended));
        Assert.Equal(AuthorityMessageKind.SessionEnded, ended.Kind);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => OpenAsync(_authority, "c"));
        Assert.Equal(0, _time.TimersArmed);
    }

    private static async Task<ISessionLink> OpenAsync(EmbeddedAuthority authority, string node) =>
        await authority.OpenSessionAsync(new SessionOpening("region", "shape", node, Guid.NewGuid(), default), static () => { }, CancellationToken.None);

    /// <summary>Sends a message under the next number of its link.</summary>
    private void Post(ISessionLink link, ClientMessage message)
    {
        ulong number = _numbers.GetValueOrDefault(link) + 1;
        message.Sequence = new MessageSeq(number);
        _numbers[link] = message.Session == link.Id && message.Kind != ClientMessageKind.Close ? number : number - 1;
        link.Post(message);
    }

    private static ClientMessage Write(string value) => new()
    {
        Kind = ClientMessageKind.Write,
        RequestId = 5,
        Key = Encoding.UTF8.GetBytes("key"),
        Payload = Payload.OfReference(value),
    };

    /// <summary>The second half of a crossing begins on another thread: when its timer is armed, time may go on.</summary>
    private async Task WaitForTimerAsync(Task opening)
    {
        for (int i = 0; i < 3_000 && !opening.IsCompleted && _time.TimersArmed < 3; i++)
        {
            await Task.Delay(10);
        }
    }

    private EmbeddedAuthority Create(TimeSpan latency) => EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
    {
        TimeProvider = _time,
        LeaseTerm = TimeSpan.FromMilliseconds(Term),
        ClockDrift = 0.01,
        ClockGranularity = TimeSpan.FromMilliseconds(5),
        Latency = latency,
    });

    private AuthorityMessage Grant(ISessionLink link)
    {
        Post(link, Write(string.Empty) with { Kind = ClientMessageKind.Acquire, Session = link.Id, Payload = default });
        Assert.True(link.TryReceive(out AuthorityMessage grant));
        Assert.Equal(Desk.ServeAndPin, grant.Caps);
        return grant;
    }

    /// <summary>Every record, in words.</summary>
    private (int Records, string Dump) Dump()
    {
        var text = new StringBuilder();
        int records = 0;
        _authority.Store.Inspect(record =>
        {
            records++;
            text.Append(null, $"i{record.Id.Value} v{record.Version} {record.HasValue} {record.Requests.Count} requests;");
            record.Holders.ForEach(holder => text.Append(holder.State.ToString()));
        });
        return (records, text.ToString());
    }
}
