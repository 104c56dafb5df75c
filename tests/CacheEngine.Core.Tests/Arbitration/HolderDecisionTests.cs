using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Arbitration;

public class HolderDecisionTests
{
    private const long LeaseAndMargin = 1_020;

    private static readonly LeaseTerms Terms = new(1_000, clockDrift: 0.01, granularityMilliseconds: 5, sessionTimeoutMilliseconds: 5_000);
    private static readonly MessageSeq RevokeMessage = new(30);

    [Fact]
    public void NothingInTheWay_KeepsAllItIsIssued()
    {
        HolderDecision decision = Decide(Holder("pFscr", "pFscr"), "Fscr", now: 0);

        Assert.Equal(new HolderDecision(HolderStep.Compatible, Literals.Cap("pFscr"), long.MaxValue), decision);
    }

    [Theory]
    [Rule("P05", "RVK-15")]
    [InlineData(false)]
    [InlineData(true)]
    public void SilentOrEndedButUnwanted_IsLeftAlone(bool hasEnded)
    {
        HolderDecision decision = Decide(Holder("pFscr", "pFscr"), "Fscr", now: 1_000_000, hasEnded: hasEnded);

        Assert.Equal(HolderStep.Compatible, decision.Step);
    }

    [Fact]
    [Rule("P02")]
    public void Conflict_IsAskedBackDownToWhatFits()
    {
        HolderDecision decision = Decide(Holder("pFsxcrw", "pFsxcrw", wanted: "Fw"), "Fr", now: 500, renewedAt: 400);

        Assert.Equal(new HolderDecision(HolderStep.Revoke, Literals.Cap("pFrw"), 400 + LeaseAndMargin), decision);
    }

    [Fact]
    [Rule("P02")]
    public void ConflictWithBitsBeingRevoked_IsWaitedFor()
    {
        HolderDecision decision = Decide(Holder("p", "pFscr"), "Fsxcrw", now: 500, renewedAt: 400, tookIn: 30);

        Assert.Equal(new HolderDecision(HolderStep.Wait, Literals.Cap("p"), 400 + LeaseAndMargin), decision);
    }

    [Fact]
    [Rule("RVK-02", "P02")]
    public void MoreBitsInTheWayThanAskedFor_AreAskedForToo()
    {
        HolderDecision decision = Decide(Holder("pFr", "pFscr"), "Fsxcrw", now: 500, renewedAt: 400, tookIn: 30);

        Assert.Equal(HolderStep.Revoke, decision.Step);
        Assert.Equal("p", decision.Keep.ToString());
    }

    [Fact]
    [Rule("RVK-02", "T27")]
    public void GrantThatOvertookTheAnswer_MakesTheRevokeBeAskedAgain()
    {
        // Revoked at 5; the answer 5 is on its way when the grant 6 leaves. It is then too old to count, and the holder owes no other.
        HolderState holder = Holder("pFscr", "pFsxcrw", seq: 6, issueSeq: 6);
        Assert.False(holder.Answer(new CapSeq(5), Literals.Cap("p")));

        HolderDecision asked = Decide(holder, "Fscr", now: 500, renewedAt: 400, tookIn: 99);
        Assert.Equal(new HolderDecision(HolderStep.Revoke, Literals.Cap("pFscr"), 400 + LeaseAndMargin), asked);

        holder.Seq = new CapSeq(7);
        Assert.Equal(HolderStep.Wait, Decide(holder, "Fscr", now: 500, renewedAt: 400, tookIn: 99).Step);
        Assert.True(holder.Answer(new CapSeq(7), Literals.Cap("pFscr")));
        Assert.Equal(HolderStep.Compatible, Decide(holder, "Fscr", now: 500, renewedAt: 400, tookIn: 99).Step);
    }

    [Theory]
    [Rule("P05", "P06")]
    [InlineData(400 + LeaseAndMargin - 1, nameof(HolderStep.Revoke))]
    [InlineData(400 + LeaseAndMargin, nameof(HolderStep.Take))]
    public void Silence_CountsFromTheLastRenewal(long now, string step)
    {
        HolderDecision decision = Decide(Holder("pFscr", "pFscr"), "Fsxcrw", now, renewedAt: 400);

        Assert.Equal(step, decision.Step.ToString());
        Assert.Equal("p", decision.Keep.ToString());
        Assert.Equal(400 + LeaseAndMargin, decision.SilentFrom);
    }

    [Fact]
    [Rule("P05")]
    public void EndedSession_IsNotWaitedFor()
    {
        Assert.Equal(HolderStep.Take, Decide(Holder("pFscr", "pFscr"), "Fsxcrw", now: 400, renewedAt: 400, hasEnded: true).Step);
        Assert.Equal(HolderStep.Take, Decide(Holder("p", "pFscr"), "Fsxcrw", now: 400, renewedAt: 400, hasEnded: true).Step);
    }

    [Theory]
    [Rule("P27")]
    [InlineData(29, 5_000, 600, 600 + LeaseAndMargin)] // renewing, but deaf: the revoke's sending bounds it
    [InlineData(29, 400, 600, 400 + LeaseAndMargin)] // neither: the earlier of the two
    [InlineData(30, 5_000, 600, 5_000 + LeaseAndMargin)] // taken in: it renews rightly while its uses last
    [InlineData(31, 5_000, 600, 5_000 + LeaseAndMargin)]
    public void RevokeNotTakenIn_BoundsTheLease(ulong tookIn, long renewedAt, long revokeSentAt, long silentFrom)
    {
        HolderState holder = Holder("p", "pFscr", revokeSentAt: revokeSentAt);

        Assert.Equal(
            new HolderDecision(HolderStep.Wait, Literals.Cap("p"), silentFrom),
            Decide(holder, "Fsxcrw", now: silentFrom - 1, renewedAt, tookIn: tookIn));
        Assert.Equal(HolderStep.Take, Decide(holder, "Fsxcrw", now: silentFrom, renewedAt, tookIn: tookIn).Step);
    }

    [Fact]
    [Rule("P27")]
    public void RevokeNotSentYet_BoundsNothing()
    {
        HolderState holder = Holder("pFscr", "pFscr", revokeSentAt: 0);

        Assert.Equal(
            new HolderDecision(HolderStep.Revoke, Literals.Cap("p"), 5_000 + LeaseAndMargin),
            Decide(holder, "Fsxcrw", now: 5_100, renewedAt: 5_000, tookIn: 0));
    }

    [Theory]
    [InlineData(true, "pFsxcrw", 500, nameof(HolderStep.Wait))]
    [InlineData(false, "pFsxcrw", 500, nameof(HolderStep.Revoke))]
    [InlineData(true, "pFscr", 500, nameof(HolderStep.Revoke))]
    [InlineData(true, "pFsxcrw", 400 + LeaseAndMargin, nameof(HolderStep.Take))]
    public void PatientLoad_WaitsForALoaderThatIsAlive(bool isPatient, string held, long now, string step)
    {
        HolderDecision decision = Decide(Holder(held, held), "Fsxcrw", now, renewedAt: 400, isPatient: isPatient);

        Assert.Equal(step, decision.Step.ToString());
        Assert.Equal(400 + LeaseAndMargin, decision.SilentFrom);
    }

    private static HolderDecision Decide(
        in HolderState holder, string need, long now, long renewedAt = 0, ulong tookIn = 0, bool hasEnded = false, bool isPatient = false) =>
        HolderDecision.Decide(
            holder, Literals.Cap(need), isPatient, new SessionView(renewedAt, new MessageSeq(tookIn), hasEnded), Terms, now);

    private static HolderState Holder(
        string issued, string implemented, string wanted = "Fscr", uint seq = 5, uint issueSeq = 1, long revokeSentAt = 0) => new()
        {
            Issued = Literals.Cap(issued),
            Implemented = Literals.Cap(implemented),
            Wanted = Literals.Cap(wanted),
            Seq = new CapSeq(seq),
            IssueSeq = new IssueSeq(issueSeq),
            RevokeMessage = RevokeMessage,
            RevokeSentAt = revokeSentAt,
        };
}
