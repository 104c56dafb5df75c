using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

public sealed class RecordArbiterTests
{
    private readonly Desk _desk = new();
    private readonly SessionId _a;
    private readonly SessionId _b;
    private readonly SessionId _c;

    public RecordArbiterTests()
    {
        _a = _desk.Join();
        _b = _desk.Join();
        _c = _desk.Join();
    }

    [Fact]
    public void Acquire_NobodyElse_IsGrantedAtOnceWithTheAbsenceOfAValue()
    {
        long request = _desk.Ask(_a, ClientMessageKind.Acquire);
        AuthorityMessage grant = _desk.Take(_a, AuthorityMessageKind.Grant);
        Assert.Equal(request, grant.RequestId);
        Assert.Equal(101ul, grant.Cookie);
        Assert.Equal(Desk.ServeAndPin, grant.Caps);
        Assert.False(grant.HasValue);
        Assert.NotEqual(default, grant.Cap);
        Assert.Equal(new MessageSeq(1), grant.Sequence);
        Assert.Equal([_a], _desk.Rung);
    }

    [Fact]
    public void Acquire_OthersRead_AllServeTheValueTogether()
    {
        _desk.Ask(_a, ClientMessageKind.Write, "one");
        Assert.Equal(Desk.ServeAndPin, _desk.Take(_a, AuthorityMessageKind.Written).Caps);
        AuthorityMessage b = _desk.Grant(_b);
        AuthorityMessage c = _desk.Grant(_c);
        Assert.Equal("one", b.Payload.Reference);
        Assert.Equal("one", c.Payload.Reference);
        Assert.Equal(1, c.Version);
        Assert.NotEqual(b.Cap, c.Cap);
        _desk.AssertOwedNothing(_a, _b, _c);
    }

    [Fact]
    public void Write_AReaderHolds_RevokesAndWaitsForItsAnswer()
    {
        AuthorityMessage grant = _desk.Grant(_a);
        long request = _desk.Ask(_b, ClientMessageKind.Write, "one");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        Assert.Equal(CapSet.Pin, revoke.Caps);
        Assert.Equal(grant.Cap, revoke.Cap);
        Assert.Equal(grant.Seq.Next(), revoke.Seq);
        Assert.Equal(grant.Cookie, revoke.Cookie);
        _desk.AssertOwedNothing(_a, _b);
        Assert.Equal((CapSet.Pin, Desk.ServeAndPin), _desk.HeldBy(_a));

        _desk.Answer(_a, revoke, CapSet.Pin);
        AuthorityMessage written = _desk.Take(_b, AuthorityMessageKind.Written);
        Assert.Equal(request, written.RequestId);
        Assert.Equal((1L, Desk.ServeAndPin), (written.Version, written.Caps));
        Assert.Equal((CapSet.Pin, CapSet.Pin), _desk.HeldBy(_a));
    }

    [Fact]
    [Rule("RVK-13", "T27")]
    public void Answer_ToAnotherMessageThanTheRevoke_FreesNothing()
    {
        AuthorityMessage grant = _desk.Grant(_a);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);

        // What was retained at the grant was everything; a number never sent, another grant and another session say nothing at all.
        _desk.Answer(_a, grant, Desk.ServeAndPin);
        _desk.Answer(_a, revoke with { Seq = new CapSeq(99) }, CapSet.Pin);
        _desk.Answer(_a, revoke with { Cap = new CapId(99) }, CapSet.Pin);
        _desk.Answer(_c, revoke, CapSet.Pin);
        _desk.AssertOwedNothing(_a, _b, _c);
        Assert.Equal((CapSet.Pin, Desk.ServeAndPin), _desk.HeldBy(_a));

        _desk.Answer(_a, revoke, CapSet.Pin);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    public void Acquire_BehindAWaitingWriter_WaitsAlthoughItWouldFit()
    {
        _desk.Grant(_a);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Ask(_c, ClientMessageKind.Acquire);
        _desk.AssertOwedNothing(_b, _c);

        _desk.Answer(_a, revoke, CapSet.Pin);

        // Somebody waits behind the writer, so it is not given a right that would be taken back at once.
        Assert.Equal(CapSet.Pin, _desk.Take(_b, AuthorityMessageKind.Written).Caps);
        AuthorityMessage grant = _desk.Take(_c, AuthorityMessageKind.Grant);
        Assert.Equal(("one", Desk.ServeAndPin), (grant.Payload.Reference, grant.Caps));
        _desk.AssertOwedNothing(_a, _b, _c);
    }

    [Fact]
    public void Writes_OfTwoSessions_AreAppliedInTheOrderOfArrival()
    {
        _desk.Grant(_a);
        _desk.Ask(_b, ClientMessageKind.Write, "b");
        _desk.Ask(_c, ClientMessageKind.Write, "c");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.AssertOwedNothing(_a);
        _desk.Answer(_a, revoke, CapSet.Pin);
        Assert.Equal(1, _desk.Take(_b, AuthorityMessageKind.Written).Version);
        Assert.Equal(2, _desk.Take(_c, AuthorityMessageKind.Written).Version);
        Assert.Equal("c", _desk.Grant(_a).Payload.Reference);
    }

    [Fact]
    public void Write_OfTheHolderItself_AsksNobody()
    {
        _desk.Grant(_a);
        _desk.Ask(_a, ClientMessageKind.Write, "one");
        Assert.Equal(Desk.ServeAndPin, _desk.Take(_a, AuthorityMessageKind.Written).Caps);
        _desk.AssertOwedNothing(_a);
    }

    [Fact]
    public void Version_WriteRemoveWrite_NeverGoesBack()
    {
        _desk.Ask(_a, ClientMessageKind.Write, "one");
        Assert.Equal((1L, true), Of(_desk.Take(_a, AuthorityMessageKind.Written)));
        _desk.Ask(_a, ClientMessageKind.Remove);
        Assert.Equal((2L, false), Of(_desk.Take(_a, AuthorityMessageKind.Written)));
        AuthorityMessage absent = _desk.Grant(_b);
        Assert.Equal((2L, false), Of(absent));
        Assert.Equal(PayloadKind.None, absent.Payload.Kind);
        _desk.Ask(_a, ClientMessageKind.Write, "three");
        _desk.Answer(_b, _desk.Take(_b, AuthorityMessageKind.Revoke), CapSet.Pin);
        Assert.Equal((3L, true), Of(_desk.Take(_a, AuthorityMessageKind.Written)));

        static (long, bool) Of(AuthorityMessage message) => (message.Version, message.HasValue);
    }

    [Fact]
    public void Load_NoValue_ElectsOneLoaderAndTheSecondWaitsForItsValue()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Ask(_b, ClientMessageKind.Load);
        _desk.AssertOwedNothing(_a, _b);

        _desk.Fill(_a, elected.Cap, "made");
        AuthorityMessage written = _desk.Take(_a, AuthorityMessageKind.Written);
        Assert.Equal((1L, Desk.ServeAndPin), (written.Version, written.Caps));
        AuthorityMessage grant = _desk.Take(_b, AuthorityMessageKind.Grant);
        Assert.Equal(("made", 1L, Desk.ServeAndPin), (grant.Payload.Reference, grant.Version, grant.Caps));
        _desk.AssertOwedNothing(_a, _b);
    }

    [Fact]
    public void Load_ThereIsAValue_ElectsNobody()
    {
        _desk.Ask(_a, ClientMessageKind.Write, "one");
        _desk.Take(_a, AuthorityMessageKind.Written);
        _desk.Ask(_b, ClientMessageKind.Load);
        AuthorityMessage grant = _desk.Take(_b, AuthorityMessageKind.Grant);
        Assert.Equal(("one", Desk.ServeAndPin), (grant.Payload.Reference, grant.Caps));
        _desk.AssertOwedNothing(_a);
    }

    [Fact]
    public void Acquire_WhileAnotherLoads_IsToldAbsentWithoutARight()
    {
        _desk.Elect(_a);
        _desk.Ask(_b, ClientMessageKind.Load);
        long request = _desk.Ask(_c, ClientMessageKind.Acquire);
        AuthorityMessage absent = _desk.Take(_c, AuthorityMessageKind.Grant);
        Assert.Equal((request, false, CapSet.None, default), (absent.RequestId, absent.HasValue, absent.Caps, absent.Cap));
        Assert.Equal(default, _desk.HeldBy(_c));
        _desk.AssertOwedNothing(_a, _b, _c);
    }

    [Fact]
    public void Write_WhileOthersLoad_WaitsForAnswersButNeverForAFactory()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Ask(_b, ClientMessageKind.Load);
        _desk.Ask(_c, ClientMessageKind.Write, "written");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);

        Assert.Equal(elected.Cap, revoke.Cap);
        _desk.AssertOwedNothing(_a, _b, _c);

        // The waiting load was here first, but to elect it would only add a revoke: the write goes first and its value answers the load.
        _desk.Answer(_a, revoke, CapSet.Pin);
        _desk.Take(_c, AuthorityMessageKind.Written);
        Assert.Equal("written", _desk.Take(_b, AuthorityMessageKind.Grant).Payload.Reference);
        _desk.AssertOwedNothing(_a, _b, _c);
    }

    [Fact]
    public void Load_BehindRemovalsWithoutEnd_YieldsABoundedNumberOfTimes()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Ask(_b, ClientMessageKind.Load);
        const int Removals = 12;
        for (int i = 0; i < Removals; i++)
        {
            _desk.Ask(_c, ClientMessageKind.Remove);
        }

        _desk.Answer(_a, _desk.Take(_a, AuthorityMessageKind.Revoke), CapSet.Pin);

        // Eight removals pass it; then the load has its turn, although removals still wait.
        Assert.Equal(elected.Version + 8, _desk.Take(_b, AuthorityMessageKind.Grant).Version);
    }

    [Fact]
    [Rule("T27")]
    public void VoluntaryReturn_ThatCrossesAReissueOfTheSameBits_IsIgnored()
    {
        // Simulator seeds 104782, 107517, 110988: a failed load gives its right back while the next load of the node is being answered.
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Ask(_a, ClientMessageKind.Load);
        AuthorityMessage again = _desk.Take(_a, AuthorityMessageKind.Grant);
        Assert.True(again.Caps.Contains(Rights.Exclusive));

        _desk.Answer(_a, elected, CapSet.Pin);
        _desk.Ask(_b, ClientMessageKind.Write, "written");

        Assert.True(_desk.Take(_a, AuthorityMessageKind.Revoke).Seq > again.Seq);
        _desk.AssertOwedNothing(_b);
    }

    [Fact]
    public void Fill_AfterTheRevoke_IsRefusedAndStoresNothing()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Ask(_c, ClientMessageKind.Write, "written");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Fill(_a, elected.Cap, "made");
        Assert.False(_desk.Take(_a, AuthorityMessageKind.Refused).HasValue);
        _desk.AssertOwedNothing(_a, _c);
        _desk.Answer(_a, revoke, CapSet.Pin);
        Assert.Equal(1, _desk.Take(_c, AuthorityMessageKind.Written).Version);
        Assert.Equal("written", _desk.Grant(_b).Payload.Reference);
    }

    [Fact]
    public void Fill_WithoutTheRight_IsRefused()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Fill(_b, elected.Cap, "not elected");
        _desk.Take(_b, AuthorityMessageKind.Refused);
        _desk.Fill(_a, new CapId(99), "another grant's");
        _desk.Take(_a, AuthorityMessageKind.Refused);
        _desk.Store.Inspect(static record => Assert.False(record.HasValue));
    }

    [Fact]
    public void Fill_Twice_TheSecondIsRefused()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Fill(_a, elected.Cap, "first");
        _desk.Take(_a, AuthorityMessageKind.Written);
        _desk.Fill(_a, elected.Cap, "second");
        _desk.Take(_a, AuthorityMessageKind.Refused);
        Assert.Equal("first", _desk.Grant(_b).Payload.Reference);
    }

    [Fact]
    public void Load_LoaderGivesUp_TheNextIsElected()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Ask(_b, ClientMessageKind.Load);
        _desk.Answer(_a, elected, CapSet.Pin);
        AuthorityMessage grant = _desk.Take(_b, AuthorityMessageKind.Grant);
        Assert.False(grant.HasValue);
        Assert.True(grant.Caps.Contains(Rights.Exclusive));
    }

    [Fact]
    public void Load_LoadersSessionEnds_TheNextIsElected()
    {
        _desk.Elect(_a);
        _desk.Ask(_b, ClientMessageKind.Load);
        _desk.Ask(_c, ClientMessageKind.Load);
        _desk.End(_a);
        AuthorityMessage elected = _desk.Take(_b, AuthorityMessageKind.Grant);
        Assert.True(elected.Caps.Contains(Rights.Exclusive));
        _desk.AssertOwedNothing(_c);
        _desk.Fill(_b, elected.Cap, "made");
        Assert.Equal("made", _desk.Take(_c, AuthorityMessageKind.Grant).Payload.Reference);
    }

    [Fact]
    public void SessionGone_TakesItsRequestsAndRights()
    {
        _desk.Grant(_a);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        _desk.Ask(_c, ClientMessageKind.Acquire);
        _desk.Take(_a, AuthorityMessageKind.Revoke);

        // The writer goes, so what waited behind it is served; the reader goes, and nobody holds anything any more.
        _desk.End(_b);
        AuthorityMessage grant = _desk.Take(_c, AuthorityMessageKind.Grant);
        Assert.False(grant.HasValue);
        _desk.End(_a);
        Assert.Equal(default, _desk.HeldBy(_a));
        _desk.Store.Inspect(static record =>
        {
            Assert.Empty(record.Requests);
            Assert.Single(record.Holders);
        });
    }

    [Fact]
    public void SessionGone_OfAHolderThatIsWaitedFor_ServesTheWaiter()
    {
        _desk.Grant(_a);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        _desk.AssertOwedNothing(_b);
        _desk.End(_a);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    public void Own_OwnersNodeAsksAgainBeforeOthers_TheOwnerIsAskedForItsRightAllTheSame()
    {
        _desk.Ask(_a, ClientMessageKind.Own);
        AuthorityMessage right = _desk.Take(_a, AuthorityMessageKind.Grant);
        long second = _desk.Ask(_a, ClientMessageKind.Own);
        _desk.AssertOwedNothing(_a);

        long read = _desk.Ask(_b, ClientMessageKind.Acquire);
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.AssertOwedNothing(_a, _b);

        // Its node takes the right from it. Whoever asked first is served first.
        _desk.Answer(_a, revoke, revoke.Caps);
        AuthorityMessage next = _desk.Take(_a, AuthorityMessageKind.Grant);
        Assert.Equal(second, next.RequestId);
        Assert.True(next.Fence > right.Fence);
        revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Answer(_a, revoke, revoke.Caps);
        Assert.Equal(read, _desk.Take(_b, AuthorityMessageKind.Grant).RequestId);
    }

    [Fact]
    [Rule("T27")]
    public void Release_NamesTheLastIssue_FreesTheHolderEvenAfterARevoke()
    {
        AuthorityMessage grant = _desk.Grant(_a);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Release(_a, grant.Cap, grant.Seq);
        _desk.Take(_b, AuthorityMessageKind.Written);
        Assert.Equal(default, _desk.HeldBy(_a));
    }

    [Fact]
    [Rule("T27", "RVK-02")]
    public void Release_OlderThanTheLastIssue_CrossedItAndChangesNothing()
    {
        AuthorityMessage first = _desk.Grant(_a);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Answer(_a, revoke, CapSet.Pin);
        _desk.Take(_b, AuthorityMessageKind.Written);
        AuthorityMessage second = _desk.Grant(_a);
        Assert.Equal(first.Cap, second.Cap);

        _desk.Release(_a, first.Cap, first.Seq);
        _desk.Release(_a, revoke.Cap, revoke.Seq);
        _desk.Release(_a, new CapId(99), second.Seq);
        _desk.Answer(_a, revoke, CapSet.Pin);
        Assert.Equal((Desk.ServeAndPin, Desk.ServeAndPin), _desk.HeldBy(_a));
        _desk.Release(_a, second.Cap, second.Seq);
        Assert.Equal(default, _desk.HeldBy(_a));
    }
}

/// <summary>A holder that does not answer: when its rights are taken, to the millisecond.</summary>
public sealed class SilentHolderTests
{
    private const long SilentAfter = Desk.Term + Desk.Margin;

    private readonly Desk _desk = new();
    private readonly SessionId _a;
    private readonly SessionId _b;

    public SilentHolderTests()
    {
        _a = _desk.Join();
        _b = _desk.Join();
    }

    [Fact]
    [Rule("SES-09", "P04")]
    public void Write_HolderSilentSinceItsLastRenewal_TakesExactlyWhenItsLeaseIsOver()
    {
        _desk.Grant(_a);
        _desk.Now = 1_300;
        _desk.Renew(_a);
        _desk.Now = 1_400;
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        Assert.Equal([1_300 + SilentAfter], _desk.LooksAgain);

        _desk.PassTime(1_300 + SilentAfter - 1);
        _desk.AssertOwedNothing(_b);
        _desk.PassTime(1_300 + SilentAfter);
        Assert.Equal(1, _desk.Take(_b, AuthorityMessageKind.Written).Version);

        // Marked, not removed; and told all the same.
        Assert.Equal((CapSet.Pin, CapSet.Pin), _desk.HeldBy(_a));
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.AssertOwedNothing(_a);
    }

    [Fact]
    [Rule("SES-09", "P04")]
    public void Write_OwnerSilentAndItsNodeHadAskedAgain_TakesWhenItsLeaseIsOver()
    {
        _desk.Ask(_a, ClientMessageKind.Own);
        _desk.Take(_a, AuthorityMessageKind.Grant);
        _desk.Ask(_a, ClientMessageKind.Own);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        _desk.PassTime(1_000 + SilentAfter - 1);
        _desk.AssertOwedNothing(_b);
        _desk.PassTime(1_000 + SilentAfter);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    [Rule("SES-09", "P27")]
    public void Write_HolderRenewsButTakesNothingIn_IsCountedFromTheRevoke()
    {
        _desk.Grant(_a);
        _desk.Now = 1_400;
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        for (_desk.Now = 1_500; _desk.Now < 1_400 + SilentAfter; _desk.Now += 100)
        {
            _desk.Renew(_a);
        }

        _desk.PassTime(1_400 + SilentAfter - 1);
        _desk.AssertOwedNothing(_b);
        _desk.PassTime(1_400 + SilentAfter);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    public void Write_HolderTookTheRevokeInAndRenews_IsWaitedFor()
    {
        _desk.Grant(_a);
        _desk.Now = 1_400;
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        _desk.TakeIn(_a, _desk.Take(_a, AuthorityMessageKind.Revoke));
        _desk.Now = 2_000;
        _desk.Renew(_a);
        _desk.PassTime(1_400 + SilentAfter);
        _desk.AssertOwedNothing(_b);
        Assert.Equal(2_000 + SilentAfter, _desk.LooksAgain[^1]);
        _desk.PassTime(2_000 + SilentAfter - 1);
        _desk.AssertOwedNothing(_b);
        _desk.PassTime(2_000 + SilentAfter);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }

    [Fact]
    [Rule("P05", "RVK-15", "SES-03")]
    public void Silence_NobodyWantsTheRights_TakesNothingUntilSomebodyDoes()
    {
        _desk.Grant(_a);
        _desk.PassTime(1_000 + (10 * Desk.Term));
        Assert.Equal((Desk.ServeAndPin, Desk.ServeAndPin), _desk.HeldBy(_a));
        _desk.Grant(_b);
        _desk.AssertOwedNothing(_a);
        Assert.Equal((Desk.ServeAndPin, Desk.ServeAndPin), _desk.HeldBy(_a));

        _desk.Ask(_b, ClientMessageKind.Write, "one");
        _desk.Take(_b, AuthorityMessageKind.Written);
        Assert.Equal((CapSet.Pin, CapSet.Pin), _desk.HeldBy(_a));
        Assert.Equal(CapSet.Pin, _desk.Take(_a, AuthorityMessageKind.Revoke).Caps);
    }

    [Fact]
    [Rule("SES-09")]
    public void Load_LoaderIsSilent_TheNextIsElectedWhenItsLeaseIsOver()
    {
        AuthorityMessage elected = _desk.Elect(_a);
        _desk.Ask(_b, ClientMessageKind.Load);
        _desk.PassTime(1_000 + SilentAfter - 1);
        _desk.AssertOwedNothing(_a, _b);
        _desk.PassTime(1_000 + SilentAfter);
        Assert.True(_desk.Take(_b, AuthorityMessageKind.Grant).Caps.Contains(Rights.Exclusive));

        // Should the old loader come back, its value is refused.
        _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Fill(_a, elected.Cap, "late");
        _desk.Take(_a, AuthorityMessageKind.Refused);
    }

    [Fact]
    public void LookAgain_OneAnswersAndOneIsSilent_IsAtTheSilentOnesTime()
    {
        SessionId c = _desk.Join();
        _desk.Grant(_a);
        _desk.Grant(c);
        _desk.Now = 1_200;
        _desk.Renew(c);
        _desk.Ask(_b, ClientMessageKind.Write, "one");
        Assert.Equal([1_000 + SilentAfter], _desk.LooksAgain);
        _desk.Answer(_a, _desk.Take(_a, AuthorityMessageKind.Revoke), CapSet.Pin);
        Assert.Equal(1_200 + SilentAfter, _desk.LooksAgain[^1]);
        _desk.AssertOwedNothing(_b);
        _desk.PassTime(1_200 + SilentAfter);
        _desk.Take(_b, AuthorityMessageKind.Written);
    }
}
