using CacheEngine.Arbitration;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>The exclusive right to change one object, where the authority keeps the value: given alone, held until its owner's word.</summary>
public sealed class OwnershipTests
{
    private readonly Desk _desk = new();
    private readonly SessionId _a;
    private readonly SessionId _b;
    private readonly SessionId _c;

    public OwnershipTests()
    {
        _a = _desk.Join();
        _b = _desk.Join();
        _c = _desk.Join();
    }

    [Fact]
    [Rule("P02", "P09", "CAP-01")]
    public void Own_IsGrantedAlone_WithTheValueAndAGrowingFence()
    {
        _desk.Ask(_a, ClientMessageKind.Write, "one");
        _desk.Take(_a, AuthorityMessageKind.Written);
        AuthorityMessage shared = _desk.Grant(_b);
        _desk.Ask(_c, ClientMessageKind.Own);
        AuthorityMessage fromA = _desk.Take(_a, AuthorityMessageKind.Revoke);
        AuthorityMessage fromB = _desk.Take(_b, AuthorityMessageKind.Revoke);
        Assert.Equal(shared.Cap, fromB.Cap);
        _desk.Answer(_a, fromA, CapSet.Pin);
        _desk.AssertOwedNothing(_c);
        _desk.Answer(_b, fromB, CapSet.Pin);
        AuthorityMessage first = _desk.TakeOwnership(_c);
        Assert.Equal("one", first.Payload.Reference);
        Assert.True(first.HasValue);
        Assert.False(first.IsUnsettled);

        _desk.Settle(_c, first, Settlement.Abandoned);
        Assert.Equal(Desk.ServeAndPin, _desk.Take(_c, AuthorityMessageKind.Written).Caps);
        Assert.True(_desk.Own(_c).Fence > first.Fence);
    }

    [Fact]
    public void Own_OfAnAbsentObject_SaysSo()
    {
        AuthorityMessage owned = _desk.Own(_a);
        Assert.False(owned.HasValue);
        Assert.Equal(PayloadKind.None, owned.Payload.Kind);
    }

    [Theory]
    [InlineData(ClientMessageKind.Acquire)]
    [InlineData(ClientMessageKind.Load)]
    [InlineData(ClientMessageKind.Write)]
    [InlineData(ClientMessageKind.Remove)]
    [InlineData(ClientMessageKind.Own)]
    [InlineData(ClientMessageKind.Recall)]
    internal void AnotherRequestOfTheOwnersSession_WaitsForItsSettlement(ClientMessageKind kind)
    {
        AuthorityMessage owned = _desk.Own(_a);
        long waiting = _desk.Ask(_a, kind, kind == ClientMessageKind.Write ? "two" : null);
        _desk.PassTime(_desk.Now + (10 * Desk.Term));
        _desk.AssertOwedNothing(_a);

        long settled = _desk.Settle(_a, owned, Settlement.Completed, "one");
        AuthorityMessage first = _desk.Take(_a, AuthorityMessageKind.Written);
        Assert.Equal((settled, CapSet.Pin), (first.RequestId, first.Caps));
        Assert.True(_desk.Store.TryTakeOwed(_a, _desk.Now, out AuthorityMessage second));
        Assert.Equal(waiting, second.RequestId);
        Assert.Equal(kind == ClientMessageKind.Own, second.Fence > owned.Fence);
    }

    [Theory]
    [Rule("P01", "P02")]
    [InlineData(ClientMessageKind.Acquire)]
    [InlineData(ClientMessageKind.Load)]
    [InlineData(ClientMessageKind.Write)]
    [InlineData(ClientMessageKind.Own)]
    [InlineData(ClientMessageKind.Recall)]
    internal void AnotherSessionsRequest_RevokesTheOwner_AndIsServedOnlyByItsSettlement(ClientMessageKind kind)
    {
        AuthorityMessage owned = _desk.Own(_a);
        long waiting = _desk.Ask(_b, kind, kind == ClientMessageKind.Write ? "two" : null);
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        Assert.False(revoke.Caps.Overlaps(CapSet.FileExcl | CapSet.FileWrite));
        _desk.Answer(_a, revoke, Desk.ExclusiveAndPin);
        _desk.AssertOwedNothing(_a, _b);

        _desk.Settle(_a, owned, Settlement.Completed, "one");
        AuthorityMessage written = _desk.Take(_a, AuthorityMessageKind.Written);
        Assert.Equal(CapSet.Pin, written.Caps);
        Assert.True(_desk.Store.TryTakeOwed(_b, _desk.Now, out AuthorityMessage answer));
        Assert.Equal(waiting, answer.RequestId);
        Assert.True(answer.Version >= written.Version);
        Assert.Equal(kind is ClientMessageKind.Acquire or ClientMessageKind.Load or ClientMessageKind.Own ? "one" : null,
            answer.Payload.Kind == PayloadKind.None ? null : answer.Payload.Reference);
    }

    [Fact]
    public void Settle_Completed_StoresTheValueUnderANewVersion()
    {
        AuthorityMessage owned = _desk.Own(_a);
        _desk.Settle(_a, owned, Settlement.Completed, "one");
        AuthorityMessage written = _desk.Take(_a, AuthorityMessageKind.Written);
        Assert.True(written.Version > owned.Version);
        Assert.Equal((written.Version, true, owned.Fence, false, false), _desk.Record());
        Assert.Equal(Desk.ServeAndPin, written.Caps);
        Assert.Equal("one", _desk.Grant(_b).Payload.Reference);
    }

    [Theory]
    [InlineData(Settlement.Abandoned)]
    [InlineData(Settlement.Raised)]
    [InlineData(Settlement.Unknown)]
    internal void Settle_WithoutAChange_LeavesValueAndVersion(Settlement settlement)
    {
        _desk.Ask(_a, ClientMessageKind.Write, "one");
        long version = _desk.Take(_a, AuthorityMessageKind.Written).Version;
        AuthorityMessage owned = _desk.Own(_a);
        _desk.Settle(_a, owned, settlement);
        AuthorityMessage written = _desk.Take(_a, AuthorityMessageKind.Written);
        Assert.Equal((version, Desk.ServeAndPin), (written.Version, written.Caps));

        // Where the authority keeps the value there is no source to settle.
        Assert.Equal((version, true, owned.Fence, false, false), _desk.Record());
        Assert.Equal("one", _desk.Grant(_b).Payload.Reference);
    }

    [Fact]
    [Rule("P08", "P17")]
    public void Settle_ByAnybodyElse_OrOfAnotherRight_IsRefused_AndChangesNothing()
    {
        AuthorityMessage old = _desk.Own(_a);
        _desk.Settle(_a, old, Settlement.Abandoned);
        _desk.Take(_a, AuthorityMessageKind.Written);
        AuthorityMessage owned = _desk.Own(_a);
        AuthorityMessage[] claims = [old, owned with { Fence = new Fence(owned.Fence.Value + 1) }, owned with { RequestId = 999 }];
        foreach (AuthorityMessage claim in claims)
        {
            Refused(_a, claim);
        }

        Refused(_b, owned);
        Refused(_b, owned with { RequestId = 999 });
        Assert.Equal(Desk.ExclusiveAndPin & (Rights.Exclusive | CapSet.Pin), _desk.HeldBy(_a).Issued);
        _desk.Settle(_a, owned, Settlement.Completed, "one");
        _desk.Take(_a, AuthorityMessageKind.Written);
        Refused(_a, owned);

        void Refused(SessionId session, in AuthorityMessage claim)
        {
            var before = _desk.Record();
            long request = _desk.Settle(session, claim, Settlement.Completed, "forged");
            AuthorityMessage refused = _desk.Take(session, AuthorityMessageKind.Refused);
            Assert.Equal((request, Refusal.RightLost), (refused.RequestId, refused.Refusal));
            Assert.Equal(before, _desk.Record());
            _desk.AssertOwedNothing(_a, _b, _c);
        }
    }

    [Fact]
    [Rule("P05", "P06", "SES-09")]
    public void SilentOwner_IsTakenWhenItsLeaseIsOver_ToTheMillisecond_AndItsSettlementRefused()
    {
        AuthorityMessage owned = _desk.Own(_a);
        long heardAt = _desk.Now;
        _desk.Now += 100;
        _desk.Ask(_b, ClientMessageKind.Write, "two");
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.PassTime(heardAt + Desk.Term + Desk.Margin - 1);
        _desk.AssertOwedNothing(_b);
        Assert.True(_desk.Record().IsOwned);
        _desk.PassTime(heardAt + Desk.Term + Desk.Margin);
        AuthorityMessage written = _desk.Take(_b, AuthorityMessageKind.Written);
        Assert.Equal((written.Version, true, owned.Fence, false, false), _desk.Record());

        _desk.Settle(_a, owned, Settlement.Completed, "late");
        Assert.Equal(Refusal.RightLost, _desk.Take(_a, AuthorityMessageKind.Refused).Refusal);
        Assert.Equal(written.Version, _desk.Record().Version);
    }

    [Fact]
    [Rule("P05", "SES-09")]
    public void SilentOwner_IsTakenInTime_AlthoughAnotherRequestOfItsSessionIsFirstInLine()
    {
        _desk.Own(_a);
        long heardAt = _desk.Now;
        _desk.Ask(_a, ClientMessageKind.Own);
        _desk.Ask(_b, ClientMessageKind.Write, "two");
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.PassTime(heardAt + Desk.Term + Desk.Margin);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    public void SettledOwner_ItsSessionsNextRequestWasFirst_AndGoesFirst()
    {
        AuthorityMessage owned = _desk.Own(_a);
        _desk.Ask(_a, ClientMessageKind.Own);
        _desk.Ask(_b, ClientMessageKind.Write, "two");
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Settle(_a, owned, Settlement.Completed, "one");
        _desk.Take(_a, AuthorityMessageKind.Written);
        AuthorityMessage second = _desk.TakeOwnership(_a);
        Assert.Equal("one", second.Payload.Reference);
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.AssertOwedNothing(_b);
        _desk.Settle(_a, second, Settlement.Abandoned);
        _desk.Take(_a, AuthorityMessageKind.Written);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    public void OwnersSessionEnds_TheNextIsServed_AndItsOwnRequestsAreGone()
    {
        AuthorityMessage owned = _desk.Own(_a);
        _desk.Ask(_a, ClientMessageKind.Own);
        _desk.Ask(_b, ClientMessageKind.Own);
        _desk.End(_a);
        Assert.True(_desk.TakeOwnership(_b).Fence > owned.Fence);
    }

    [Fact]
    [Rule("P22")]
    public void OwnersSessionIsCutOff_ItsRightLastsAsLongAsItsLeaseCan()
    {
        _desk.Own(_a);
        _desk.Ask(_b, ClientMessageKind.Own);
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        long revokedAt = _desk.Now;
        _desk.Now += 300;
        _desk.CutOff(_a);
        _desk.PassTime(revokedAt + Desk.Term + Desk.Margin - 1);
        _desk.AssertOwedNothing(_b);
        _desk.PassTime(revokedAt + 300 + Desk.Term + Desk.Margin);
        _desk.TakeOwnership(_b);
    }
}
