using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Inodes;

public class GrantDecisionTests
{
    private static readonly SessionGeneration Now = new(3);
    private static readonly CapId Id = new(9);

    [Fact]
    [Rule("GRANT-4", "GRANT-22")]
    public void FirstGrant_GivesItsBitsAndOwesNothing()
    {
        GrantDecision decision = Decide(default, "pFscr", seq: 1, isRevoke: false);

        Assert.Equal("{pFscr/pFscr, seq 1/1, id 9, generation 3}", decision.Cap.ToString());
        Assert.Equal("pFscr", decision.Added.ToString());
        Assert.Equal("-", decision.Removed.ToString());
        Assert.Equal(GrantEffects.None, decision.Effects);
    }

    [Fact]
    [Rule("T25", "RVK-02")]
    public void Revoke_NothingLeftToDrop_IsAnsweredAtOnceWithItsNumber()
    {
        GrantDecision decision = Decide(Held("pFsr", "pFsr", seq: 4), "pFsr", seq: 5, isRevoke: true);

        Assert.Equal(GrantEffects.Answer, decision.Effects);
        Assert.Equal(new CapSeq(5), decision.Cap.Seq);
    }

    [Fact]
    [Rule("GRANT-20")]
    public void Revoke_CleanAndUnused_MakesUnservableAndIsAnsweredAtOnce()
    {
        GrantDecision decision = Decide(Held("pFscr", "pFscr", seq: 4), "p", seq: 5, isRevoke: true, used: "-");

        Assert.Equal(GrantEffects.MakeUnservable | GrantEffects.Answer, decision.Effects);
        Assert.Equal("{p/p, seq 5/1, id 9, generation 3}", decision.Cap.ToString());
    }

    [Fact]
    [Rule("T30", "GRANT-20")]
    public void Revoke_InUse_StaysImplementedAndDefersTheAnswer()
    {
        GrantDecision decision = Decide(Held("pFscrw", "pFscrw", seq: 4), "pFs", seq: 5, isRevoke: true, used: "Fw");

        Assert.Equal(GrantEffects.MakeUnservable | GrantEffects.AnswerWhenPut, decision.Effects);
        Assert.Equal("{pFs/pFscrw, seq 5/1, id 9, generation 3}", decision.Cap.ToString());
    }

    [Fact]
    [Rule("T25", "T30")]
    public void SecondRevoke_WhileTheFirstIsInUse_DefersOneAnswerForBoth()
    {
        GrantDecision first = Decide(Held("pFscrw", "pFscrw", seq: 4), "pFscr", seq: 5, isRevoke: true, used: "Fw");
        GrantDecision second = GrantDecision.Decide(first.Cap, Id, Literals.Cap("p"), new CapSeq(6), Now, isRevoke: true, Literals.Cap("Fw"));

        Assert.Equal(GrantEffects.MakeUnservable | GrantEffects.AnswerWhenPut, second.Effects);
        Assert.Equal("{p/pFscrw, seq 6/1, id 9, generation 3}", second.Cap.ToString());
    }

    [Theory]
    [Rule("T35", "GRANT-23")]
    [InlineData("-", GrantEffects.MakeUnservable | GrantEffects.Answer, "pFrw")]
    [InlineData("Fc", GrantEffects.MakeUnservable | GrantEffects.AnswerWhenPut, "pFcrw")]
    public void OneMessageThatAddsAndRemoves_DoesBoth(string used, object effects, string implemented)
    {
        GrantDecision decision = Decide(Held("pFcr", "pFcr", seq: 4), "pFrw", seq: 5, isRevoke: false, used);

        Assert.Equal("Fw", decision.Added.ToString());
        Assert.Equal("Fc", decision.Removed.ToString());
        Assert.Equal(effects, decision.Effects);
        Assert.Equal("pFrw", decision.Cap.Issued.ToString());
        Assert.Equal(implemented, decision.Cap.Implemented.ToString());
        Assert.Equal(new IssueSeq(5), decision.Cap.IssueSeq);
    }

    [Fact]
    [Rule("GRANT-24")]
    public void RevokedBitGivenAgain_EndsTheRevocationAndOwesNothing()
    {
        GrantDecision decision = Decide(Held("pFr", "pFcr", seq: 4), "pFcr", seq: 5, isRevoke: false, used: "Fc");

        Assert.Equal(GrantEffects.None, decision.Effects);
        Assert.Equal("pFcr", decision.Cap.Implemented.ToString());
        Assert.Equal("Fc", decision.Added.ToString());
    }

    [Fact]
    [Rule("GRANT-22", "T30")]
    public void GrantOfOtherBits_DoesNotForgetARevocationInUse()
    {
        GrantDecision decision = Decide(Held("pFs", "pFsw", seq: 4), "pFscr", seq: 5, isRevoke: false, used: "Fw");

        Assert.Equal(GrantEffects.AnswerWhenPut, decision.Effects);
        Assert.Equal("{pFscr/pFscrw, seq 5/5, id 9, generation 3}", decision.Cap.ToString());
    }

    [Theory]
    [Rule("T25", "T21")]
    [InlineData(5u, 5u)]
    [InlineData(5u, 4u)]
    [InlineData(0u, uint.MaxValue)]
    public void OlderOrRepeatedMessage_IsIgnored(uint applied, uint seq)
    {
        CapState cap = Held("pFscr", "pFscr", applied);

        GrantDecision decision = Decide(cap, "p", seq, isRevoke: true);

        Assert.Equal(GrantEffects.Ignored, decision.Effects);
        Assert.Equal(cap, decision.Cap);
    }

    [Fact]
    [Rule("T21")]
    public void NumberThatWrapped_IsNewer()
    {
        GrantDecision decision = Decide(Held("pFscr", "pFscr", uint.MaxValue), "p", seq: 0, isRevoke: true);

        Assert.Equal(GrantEffects.MakeUnservable | GrantEffects.Answer, decision.Effects);
    }

    [Fact]
    [Rule("T52", "VAL-2")]
    public void OldGeneration_HasNoBitsToStartFrom()
    {
        CapState stale = Held("pFscr", "pFscr", seq: 7) with { Generation = new SessionGeneration(2) };

        GrantDecision decision = Decide(stale, "Fs", seq: 1, isRevoke: false);

        Assert.Equal("-", stale.IssuedIn(Now).ToString());
        Assert.Equal("Fs", decision.Cap.IssuedIn(Now).ToString());
        Assert.Equal("Fs", decision.Cap.Implemented.ToString());
        Assert.Equal("Fs", decision.Added.ToString());
        Assert.Equal("{Fs/Fs, seq 1/1, id 9, generation 3}", decision.Cap.ToString());
    }

    private static GrantDecision Decide(in CapState cap, string caps, uint seq, bool isRevoke, string used = "-") =>
        GrantDecision.Decide(cap, Id, Literals.Cap(caps), new CapSeq(seq), Now, isRevoke, Literals.Cap(used));

    private static CapState Held(string issued, string implemented, uint seq) => new()
    {
        Id = Id,
        Issued = Literals.Cap(issued),
        Implemented = Literals.Cap(implemented),
        Seq = new CapSeq(seq),
        IssueSeq = new IssueSeq(1),
        Generation = Now,
    };
}
