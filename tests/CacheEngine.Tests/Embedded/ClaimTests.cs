using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using static CacheEngine.Tests.Embedded.HandWritten;

namespace CacheEngine.Tests.Embedded;

/// <summary>What an authority gives back to an engine that claims what it held under an earlier session: what the record shows, and nothing that is only said.</summary>
public sealed class ClaimTests : IAsyncLifetime
{
    private static readonly CapSet Nothing = CapSet.None;

    private readonly Guid _identity = Guid.NewGuid();
    private readonly HandWritten _desk = new(quota: new SizeQuota(stepBytes: 100, ceilingBytes: 1_000));
    private ISessionLink _a = null!;
    private ISessionLink _b = null!;
    private AuthorityMessage _held;

    public async Task InitializeAsync()
    {
        _a = await _desk.OpenAsync(_identity);
        _b = await _desk.OpenAsync(Guid.NewGuid());
        _held = _desk.Buffer(_a, "one");
    }

    public async Task DisposeAsync() => await _desk.DisposeAsync();

    [Theory]
    [Rule("REC-05", "REC-01", "T15", "P11")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Claim_OfWhatIsHeld_GetsTheSameBitsUnderTheSameGrantWithTheNextNumber(bool restarts)
    {
        if (restarts)
        {
            _desk.Authority.Restart();
        }

        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        AuthorityMessage standing = Standing(again, _held, BufferAndPin);
        Assert.Equal((_held.Seq.Next(), _held.Version, true), (standing.Seq, standing.Version, standing.HasValue));
        Assert.True(standing.VersionLimit >= _held.VersionLimit);
        Assert.Equal(1, _desk.Record().Holders);
    }

    [Fact]
    [Rule("REC-06", "P11", "P22")]
    public async Task Claim_ByAStranger_IsRefused_AndHarmsNobody()
    {
        ISessionLink stranger = await _desk.OpenAsync(Guid.NewGuid());
        foreach (CapSet claimed in new[] { BufferAndPin, Rights.AfterWrite, CapSet.Pin })
        {
            _desk.Claim(stranger, _held, claimed);
            Standing(stranger, _held, Nothing);
        }

        _desk.Done(stranger);
        AssertNothing(_a, _b);
        _desk.Authority.Restart();
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, BufferAndPin);
    }

    [Fact]
    [Rule("REC-06", "P11")]
    public async Task Claim_AfterHavingClosed_IsRefused()
    {
        _a.Post(new ClientMessage { Kind = ClientMessageKind.Close, Session = _a.Id, IsClean = true });
        _desk.Authority.Restart();
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, Nothing);
        Assert.Equal((_held.Version, "one", 0), _desk.Record());
    }

    [Fact]
    [Rule("REC-07", "REC-21", "P11", "P13")]
    public async Task Claim_OfWhatHasRunOutAndWasTaken_IsRefused_WithTheVersionThatStands()
    {
        _desk.Authority.Restart();
        ISessionLink other = await _desk.OpenAsync(Guid.NewGuid());
        _desk.Ask(other, ClientMessageKind.Write, "other");
        _desk.Time.Advance(SilentAfter);
        AuthorityMessage written = Receive(other, AuthorityMessageKind.Written);

        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        Assert.Equal(written.Version, Standing(again, _held, Nothing).Version);
        AssertNothing(other);
    }

    [Fact]
    [Rule("P11", "REC-21")]
    public async Task Claim_OverTwoRestarts_IsOfWhatNobodyTookInEitherLife()
    {
        _desk.Authority.Restart();
        _desk.Authority.Restart();
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        AuthorityMessage standing = Standing(again, _held, BufferAndPin);

        // It was claimed in this life, but its session is cut off before it has said that it is done.
        _desk.Authority.Restart();
        ISessionLink third = await _desk.OpenAsync(_identity);
        _desk.Claim(third, _held, BufferAndPin);
        Assert.Equal(standing.Seq.Next(), Standing(third, _held, BufferAndPin).Seq);
        Assert.Equal(1, _desk.Record().Holders);
    }

    [Fact]
    [Rule("REC-10", "P12")]
    public async Task Claim_AfterDone_IsRefused_AndDoneTwiceChangesNothing()
    {
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Ask(_b, ClientMessageKind.Write, "waits");
        _desk.Done(again);
        AuthorityMessage written = Receive(_b, AuthorityMessageKind.Written);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, Nothing);
        _desk.Done(again);
        AssertNothing(again, _b);
        Assert.Equal((written.Version, "waits", 1), _desk.Record());
    }

    [Fact]
    [Rule("REC-10")]
    public async Task Done_AsTheFirstWordOfANewNode_IsFine()
    {
        ISessionLink fresh = await _desk.OpenAsync(Guid.NewGuid());
        _desk.Done(fresh);
        _desk.Ask(fresh, ClientMessageKind.Acquire);
        Receive(_a, AuthorityMessageKind.Revoke);
        Assert.Equal(0, _desk.Authority.RefusedMessages);
    }

    [Fact]
    [Rule("REC-10", "P12")]
    public async Task RequestBeforeDone_WaitsForNobodyElse_AndOneThatConflictsWaits()
    {
        _desk.Authority.Restart();
        ISessionLink other = await _desk.OpenAsync(Guid.NewGuid());
        _desk.Ask(other, ClientMessageKind.Acquire);
        AssertNothing(other);
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Done(again);
        Assert.Equal("one", Receive(other, AuthorityMessageKind.Grant).Payload.Reference);
    }

    [Fact]
    [Rule("REC-12", "P11", "P16")]
    public async Task Claim_Twice_TheSecondChangesNothing()
    {
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, BufferAndPin);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, Nothing);
        _desk.Done(again);
        Assert.Equal(1, _desk.Record().Holders);

        // It stands: another must ask for it.
        _desk.Ask(_b, ClientMessageKind.Acquire);
        AssertNothing(_b);
        Receive(again, AuthorityMessageKind.Revoke);
    }

    [Fact]
    [Rule("P11", "T23")]
    public async Task Claim_OfLess_GivesTheRestUp_ForGood()
    {
        _desk.Ask(_b, ClientMessageKind.Acquire);
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, Rights.AfterWrite);
        Standing(again, _held, Rights.AfterWrite);
        Receive(_b, AuthorityMessageKind.Grant);
        ISessionLink third = await _desk.OpenAsync(_identity);
        _desk.Claim(third, _held, BufferAndPin);
        Standing(third, _held, Rights.AfterWrite);
    }

    [Fact]
    [Rule("P11", "RVK-10")]
    public async Task Claim_OfMoreThanWasLeft_GetsNoMore()
    {
        _desk.Ask(_b, ClientMessageKind.Acquire);
        _desk.Answer(_a, Receive(_a, AuthorityMessageKind.Revoke));
        Receive(_b, AuthorityMessageKind.Grant);
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, Rights.AfterWrite);
        AssertNothing(_b);
    }

    [Fact]
    [Rule("RVK-10", "P03")]
    public async Task Claim_WhileARevokeIsUnanswered_IsGivenBack_AndRevokedAnewUnderItsNewNumber()
    {
        _desk.Ask(_b, ClientMessageKind.Acquire);
        AuthorityMessage before = Receive(_a, AuthorityMessageKind.Revoke);
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        AuthorityMessage standing = Standing(again, _held, BufferAndPin);
        AuthorityMessage revoke = Receive(again, AuthorityMessageKind.Revoke);
        Assert.True(revoke.Seq > standing.Seq && standing.Seq > before.Seq);

        // What answered the old revoke does not answer the new one.
        _desk.Answer(again, before);
        AssertNothing(_b);
        _desk.Answer(again, revoke);
        Receive(_b, AuthorityMessageKind.Grant);
    }

    [Fact]
    [Rule("P11")]
    public async Task Claim_OfThePinAlone_OrOfAnotherGrant_IsRefused()
    {
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, CapSet.Pin);
        Standing(again, _held, Nothing);
        AuthorityMessage other = _held with { Cap = new Caps.CapId(_held.Cap.Value + 100) };
        _desk.Claim(again, other, BufferAndPin);
        Standing(again, other, Nothing);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, BufferAndPin);
    }

    [Fact]
    [Rule("P22", "P16")]
    public async Task Claim_InASessionThatIsOver_IsNotHeard()
    {
        ISessionLink second = await _desk.OpenAsync(_identity);
        ISessionLink third = await _desk.OpenAsync(_identity);
        Assert.Equal(AuthorityMessageKind.SessionEnded, Drain(second));
        _desk.Claim(second, _held, BufferAndPin);
        AssertNothing(second);
        _desk.Claim(third, _held, BufferAndPin);
        Standing(third, _held, BufferAndPin);
    }

    [Fact]
    [Rule("SES-17", "T58", "P13")]
    public async Task Claim_AfterEviction_IsRefused_AndWhatWasBufferedIsUndone()
    {
        Assert.Equal(2, _desk.Authority.Evict("node"));
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin);
        Standing(again, _held, Nothing);
        _desk.Flush(again, _held, tid: 1, "two");
        Assert.Equal(Refusal.RightLost, Receive(again, AuthorityMessageKind.Refused).Refusal);
        _desk.Done(again);
        (long version, object? value, int holders) = _desk.Record();
        Assert.True(version > _held.VersionLimit);
        Assert.Equal(("one", 0), (value, holders));
    }

    [Fact]
    [Rule("T23", "FLU-11")]
    public async Task Claim_WithAWish_IsAnsweredWithRoom()
    {
        Assert.Equal(100, _held.MaxSize);
        ISessionLink again = await _desk.OpenAsync(_identity);
        _desk.Claim(again, _held, BufferAndPin, wantedSize: 300);
        Assert.Equal(700, Standing(again, _held, BufferAndPin).MaxSize);
    }
}
