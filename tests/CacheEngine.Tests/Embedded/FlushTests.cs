using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Embedded;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using static CacheEngine.Tests.Embedded.HandWritten;

namespace CacheEngine.Tests.Embedded;

/// <summary>What an authority does with flush records that come once, again, too late, out of order, or from somebody else.</summary>
public sealed class FlushTests : IAsyncLifetime
{
    private readonly Guid _identity = Guid.NewGuid();
    private readonly HandWritten _desk = new();
    private ISessionLink _a = null!;
    private ISessionLink _b = null!;
    private AuthorityMessage _held;

    public async Task InitializeAsync()
    {
        _a = await _desk.OpenAsync(_identity);
        _b = await _desk.OpenAsync(Guid.NewGuid());
        _held = _desk.Buffer(_a, "zero");
    }

    public async Task DisposeAsync() => await _desk.DisposeAsync();

    [Fact]
    [Rule("FLU-04", "P15", "P16", "T01")]
    public async Task Record_ThatComesAgain_InThisSessionOrTheNext_IsAcknowledgedAndChangesNothing()
    {
        _desk.Flush(_a, _held, tid: 7, "one");
        AssertFlushed(_a, tid: 7, above: 1);
        _desk.Flush(_a, _held, tid: 7, "forged", above: 2);
        AssertFlushed(_a, tid: 7, above: 1);
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, BufferAndPin);
        _desk.Flush(again, _held, tid: 7, "forged", above: 3);
        AssertFlushed(again, tid: 7, above: 1);
        Assert.Equal((_held.Version + 1, "one", 1), _desk.Record());
    }

    [Fact]
    [Rule("T01", "RVK-08", "P15")]
    public async Task Record_ThatComesAgainAfterAnotherWroteOverIt_ChangesNothing()
    {
        _desk.Flush(_a, _held, tid: 7, "one");
        Receive(_a, AuthorityMessageKind.Flushed);
        _desk.Ask(_b, ClientMessageKind.Write, "newer");
        _desk.Answer(_a, Receive(_a, AuthorityMessageKind.Revoke));
        AuthorityMessage written = Receive(_b, AuthorityMessageKind.Written);
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Flush(again, _held, tid: 7, "one");
        AuthorityMessage acknowledged = Receive(again, AuthorityMessageKind.Flushed);
        Assert.Equal((written.Version, 7ul, true), (acknowledged.Version, acknowledged.Tid.Value, acknowledged.IsDurable));
        Assert.Equal((written.Version, "newer"), (_desk.Record().Version, _desk.Record().Value));
    }

    [Fact]
    [Rule("FLU-03", "P15", "P16")]
    public void Records_InTheWrongOrder_TheOlderIsOutdone()
    {
        _desk.Flush(_a, _held, tid: 8, "two", above: 2);
        AssertFlushed(_a, tid: 8, above: 2);
        _desk.Flush(_a, _held, tid: 7, "one", above: 1);
        AssertFlushed(_a, tid: 7, above: 2);
        Assert.Equal((_held.Version + 2, "two", 1), _desk.Record());
    }

    [Fact]
    [Rule("P11", "P13", "P15")]
    public void Record_UnderARightThatWasGivenBack_IsRefused_AndTheNewHolderIsNotDisturbed()
    {
        _desk.Ask(_b, ClientMessageKind.Write, "newer");
        _desk.Answer(_a, Receive(_a, AuthorityMessageKind.Revoke));
        AuthorityMessage written = Receive(_b, AuthorityMessageKind.Written);
        _desk.Flush(_a, _held, tid: 1, "late");
        AuthorityMessage refused = Receive(_a, AuthorityMessageKind.Refused);
        Assert.Equal((1ul, Refusal.RightLost), (refused.Tid.Value, refused.Refusal));
        AssertNothing(_b);
        Assert.Equal((written.Version, "newer"), (_desk.Record().Version, _desk.Record().Value));
    }

    [Fact]
    [Rule("P01", "P11", "P15")]
    public void Record_UnderARightThatWasGivenBackToAReader_IsRefused_ThoughItsVersionWouldDo()
    {
        _desk.Ask(_b, ClientMessageKind.Acquire);
        _desk.Answer(_a, Receive(_a, AuthorityMessageKind.Revoke));
        Assert.Equal("zero", Receive(_b, AuthorityMessageKind.Grant).Payload.Reference);
        _desk.Flush(_a, _held, tid: 1, "late");
        Receive(_a, AuthorityMessageKind.Refused);
        Assert.Equal((_held.Version, "zero", 2), _desk.Record());
    }

    [Fact]
    [Rule("T14", "P15")]
    public void Record_AheadOfTheAnswerToARevoke_IsApplied()
    {
        _desk.Ask(_b, ClientMessageKind.Acquire);
        AuthorityMessage revoke = Receive(_a, AuthorityMessageKind.Revoke);
        _desk.Flush(_a, _held, tid: 1, "one");
        AssertNothing(_b);
        _desk.Answer(_a, revoke);
        Assert.Equal("one", Receive(_b, AuthorityMessageKind.Grant).Payload.Reference);
    }

    [Fact]
    [Rule("P22", "P11")]
    public async Task Record_OfAStranger_UnderTheHoldersGrant_IsRefused()
    {
        ISessionLink stranger = await _desk.OpenAsync(Guid.NewGuid());
        foreach (ISessionLink link in new[] { stranger, _b })
        {
            _desk.Flush(link, _held, tid: 1, "forged");
            Receive(link, AuthorityMessageKind.Refused);
        }

        Assert.Equal((_held.Version, "zero", 1), _desk.Record());
        _desk.Flush(_a, _held, tid: 1, "one");
        AssertFlushed(_a, tid: 1, above: 1);
    }

    [Theory]
    [Rule("P09", "P15")]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(RecordFlushes.VersionsPerGrant + 1)]
    public void Record_WithAVersionThatItsGrantDoesNotCover_IsRefused(long above)
    {
        _desk.Flush(_a, _held, tid: 1, "one", above);
        Receive(_a, AuthorityMessageKind.Refused);
        Assert.Equal((_held.Version, "zero", 1), _desk.Record());
    }

    [Fact]
    [Rule("P09")]
    public void Record_WithTheLastVersionOfItsGrant_IsApplied_AndTheGrantGoesOnFromThere()
    {
        Assert.Equal(_held.Version + RecordFlushes.VersionsPerGrant, _held.VersionLimit);
        _desk.Flush(_a, _held, tid: 1, "one", RecordFlushes.VersionsPerGrant);
        Assert.Equal(_held.VersionLimit + RecordFlushes.VersionsPerGrant, Receive(_a, AuthorityMessageKind.Flushed).VersionLimit);
    }

    [Fact]
    [Rule("P31", "FLU-04", "T02")]
    public async Task Records_OfMoreEnginesThanAreRemembered_TheOldestIsRefused_ButNeverAppliedTwice()
    {
        _desk.Flush(_a, _held, tid: 1, "one");
        AssertFlushed(_a, tid: 1, above: 1);
        ISessionLink last = _a;
        for (int i = 0; i < RecordFlushes.MaxEngines; i++)
        {
            ISessionLink next = await _desk.OpenAsync(Guid.NewGuid());
            _desk.PostBuffer(next, $"first of {i}");
            _desk.Answer(last, Receive(last, AuthorityMessageKind.Revoke));
            AuthorityMessage held = TakeBuffer(next);
            _desk.Flush(next, held, tid: 1, $"of {i}");
            Receive(next, AuthorityMessageKind.Flushed);
            last = next;
        }

        _desk.Authority.Store.Inspect(static record => Assert.Equal(RecordFlushes.MaxEngines, record.Applied.Count));
        (long version, object? value, _) = _desk.Record();
        _desk.Flush(_a, _held, tid: 1, "one");
        Receive(_a, AuthorityMessageKind.Refused);
        Assert.Equal((version, value), (_desk.Record().Version, _desk.Record().Value));
    }

    [Theory]
    [Rule("SES-10", "H2", "P09")]
    [InlineData(true)]
    [InlineData(false)]
    public void Goodbye_OfABufferingHolder_SaysWhetherItsVersionsMayHaveBeenSeen(bool isClean)
    {
        _a.Post(new ClientMessage { Kind = ClientMessageKind.Close, Session = _a.Id, IsClean = isClean });
        (long version, object? value, int holders) = _desk.Record();
        Assert.Equal(("zero", 0), (value, holders));
        Assert.Equal(isClean, version == _held.Version);
        Assert.True(isClean || version > _held.VersionLimit);
    }

    [Fact]
    [Rule("T11", "FLU-17", "P14")]
    public async Task LateCommit_AppliedIsToldAtOnce_DurableWhenItIs_AndOnDemand()
    {
        await using var desk = new HandWritten(TimeSpan.FromSeconds(2));
        ISessionLink a = await desk.OpenAsync(_identity);
        desk.PostBuffer(a, "zero");
        AssertNothing(a);
        desk.Post(a, new ClientMessage { Kind = ClientMessageKind.Commit });
        AuthorityMessage held = TakeBuffer(a);

        desk.Flush(a, held, tid: 1, "one");
        Assert.False(Receive(a, AuthorityMessageKind.Flushed).IsDurable);
        AssertNothing(a);
        desk.Time.Advance(2_000);
        Assert.True(Receive(a, AuthorityMessageKind.Flushed).IsDurable);

        desk.Flush(a, held, tid: 2, "two", above: 2, isUrgent: true);
        Assert.False(Receive(a, AuthorityMessageKind.Flushed).IsDurable);
        Assert.True(Receive(a, AuthorityMessageKind.Flushed).IsDurable);
    }

    [Fact]
    [Rule("P14", "P09")]
    public async Task LateCommit_WhatIsNotDurableIsToldToNobody()
    {
        await using var desk = new HandWritten(TimeSpan.FromMilliseconds(200));
        ISessionLink a = await desk.OpenAsync(_identity);
        ISessionLink b = await desk.OpenAsync(Guid.NewGuid());
        desk.PostBuffer(a, "zero");
        desk.Time.Advance(200);
        AuthorityMessage held = TakeBuffer(a);
        desk.Ask(b, ClientMessageKind.Acquire);
        desk.Time.Advance(200);
        AuthorityMessage revoke = Receive(a, AuthorityMessageKind.Revoke);
        desk.Flush(a, held, tid: 1, "one");
        desk.Answer(a, revoke);
        AssertNothing(b);
        desk.Time.Advance(200);
        Assert.Equal("one", Receive(b, AuthorityMessageKind.Grant).Payload.Reference);
    }

    [Fact]
    [Rule("FLU-04", "P14", "T01")]
    public async Task CutTail_TheRecordIsForgotten_AndAppliedOnceWhenItComesAgain()
    {
        await using var desk = new HandWritten(TimeSpan.FromMilliseconds(200));
        ISessionLink a = await desk.OpenAsync(_identity);
        desk.PostBuffer(a, "zero");
        desk.Time.Advance(200);
        AuthorityMessage held = TakeBuffer(a);
        desk.Flush(a, held, tid: 1, "one");
        desk.Authority.Restart(cutsTail: true);
        Assert.Equal((held.Version, "zero", 1), desk.Record());

        ISessionLink again = await desk.OpenAsync(_identity);
        desk.Flush(again, held, tid: 1, "one");
        desk.Flush(again, held, tid: 1, "one");
        Assert.False(Receive(again, AuthorityMessageKind.Flushed).IsDurable);
        desk.Time.Advance(200);
        Assert.True(Receive(again, AuthorityMessageKind.Flushed).IsDurable);
        Assert.Equal((held.Version + 1, "one", 1), desk.Record());
    }

    [Theory]
    [Rule("H3", "P13")]
    [InlineData(true)]
    [InlineData(false)]
    public void SessionIsOver_ARequestComesBeforeTheRecordHasHeardOfIt_OnlyAnUncleanEndRaisesTheVersion(bool isClosed)
    {
        var desk = new Desk();
        SessionId holder = desk.Join();
        SessionId reader = desk.Join();
        desk.Send(holder, new ClientMessage
        {
            Kind = ClientMessageKind.Write,
            RequestId = 1_000,
            Wanted = Arbitration.Rights.Buffered | CapSet.Pin,
            Payload = Payload.OfReference("one"),
        });
        AuthorityMessage held = desk.Take(holder, AuthorityMessageKind.Written);
        Assert.True(held.Caps.Contains(CapSet.FileBuffer));
        int taken = 0;
        desk.Store.BufferWasTaken = _ => taken++;
        desk.EndUntold(holder, isClosed ? SessionEnd.Closed : SessionEnd.Silent);

        desk.Ask(reader, ClientMessageKind.Acquire);

        AuthorityMessage grant = desk.Take(reader, AuthorityMessageKind.Grant);
        Assert.Equal("one", grant.Payload.Reference);
        Assert.Equal((isClosed, isClosed ? 0 : 1), (grant.Version == held.Version, taken));
    }

    private void AssertFlushed(ISessionLink link, ulong tid, long above)
    {
        AuthorityMessage message = Receive(link, AuthorityMessageKind.Flushed);
        Assert.Equal((tid, true, _held.Version + above), (message.Tid.Value, message.IsDurable, message.Version));
    }
}
