using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Arbitration;

public class HolderStateTests
{
    [Fact]
    [Rule("RVK-02", "T25")]
    public void ReleaseThenAnswer_BothCount()
    {
        // The voluntary return left at 4, before the revoke 5 came in.
        HolderState holder = Holder("pFr", "pFcr", seq: 5, issueSeq: 1);

        Assert.True(Answer(ref holder, 4, "pFr"));
        Assert.Equal("pFr", holder.Implemented.ToString());
        Assert.False(Answer(ref holder, 5, "pFr"));
        Assert.Equal("pFr/pFr", Sets(holder));
    }

    [Fact]
    [Rule("RVK-02")]
    public void AnswerThenLateRelease_TheReleaseChangesNothing()
    {
        HolderState holder = Holder("pFr", "pFcr", seq: 5, issueSeq: 1);

        Assert.True(Answer(ref holder, 5, "pFr"));
        Assert.False(Answer(ref holder, 4, "pFr"));
        Assert.Equal("pFr/pFr", Sets(holder));
    }

    [Fact]
    [Rule("RVK-02", "T27")]
    public void ReleaseThatCrossedANewerGrant_DoesNotAnswerForIt()
    {
        HolderState holder = Holder("pFcr", "pFcr", seq: 6, issueSeq: 6);

        Assert.False(Answer(ref holder, 4, "pFr"));
        Assert.False(Answer(ref holder, 5, "p"));
        Assert.Equal("pFcr/pFcr", Sets(holder));
        Assert.True(Answer(ref holder, 6, "pFr"));
        Assert.Equal("pFr/pFr", Sets(holder));
    }

    [Fact]
    [Rule("RVK-02", "T27")]
    public void RevokeAfterANewerGrant_IsAnsweredOnlyByItsOwnNumberOrTheGrants()
    {
        HolderState holder = Holder("p", "pFcr", seq: 7, issueSeq: 6);

        Assert.False(Answer(ref holder, 5, "p"));
        Assert.Equal("p/pFcr", Sets(holder));
        HolderState dropped = holder;
        Assert.True(Answer(ref dropped, 6, "p"));
        Assert.True(Answer(ref holder, 7, "p"));
        Assert.Equal("p/p", Sets(dropped));
        Assert.Equal("p/p", Sets(holder));
    }

    [Fact]
    [Rule("T27")]
    public void ReturnUnasked_TakesIssuedBitsToo()
    {
        HolderState holder = Holder("pFscr", "pFscr", seq: 3, issueSeq: 3);

        Assert.True(Answer(ref holder, 3, "p"));
        Assert.Equal("p/p", Sets(holder));
    }

    [Fact]
    public void Answer_GivesBackAndNeverAdds()
    {
        HolderState holder = Holder("pFs", "pFsc", seq: 3, issueSeq: 1);

        Assert.False(Answer(ref holder, 3, "pFscrwb"));
        Assert.Equal("pFs/pFsc", Sets(holder));
        Assert.Equal("Fc", holder.Revoking.ToString());
    }

    [Fact]
    public void AnswerToAMessageNeverSent_IsIgnored()
    {
        HolderState holder = Holder("p", "pFc", seq: 3, issueSeq: 1);

        Assert.False(Answer(ref holder, 4, "p"));
        Assert.Equal("p/pFc", Sets(holder));
    }

    [Fact]
    [Rule("T21", "T27")]
    public void Numbers_MayWrap()
    {
        HolderState holder = Holder("p", "pFc", seq: 1, issueSeq: uint.MaxValue);

        Assert.False(Answer(ref holder, uint.MaxValue - 1, "p"));
        Assert.False(Answer(ref holder, 2, "p"));
        Assert.Equal("p/pFc", Sets(holder));
        Assert.True(Answer(ref holder, 0, "p"));
    }

    [Fact]
    public void Dump_ReadsAsTheProtocolWritesIt()
    {
        HolderState holder = Holder("pFs", "pFsc", seq: 3, issueSeq: 1);
        holder.Session = new SessionId(7);
        holder.Cap = new CapId(12);

        Assert.Equal("s7 {pFs/pFsc, seq 3/1, id 12}", holder.ToString());
    }

    private static bool Answer(ref HolderState holder, uint seq, string retained) => holder.Answer(new CapSeq(seq), Literals.Cap(retained));

    private static string Sets(in HolderState holder) => $"{holder.Issued}/{holder.Implemented}";

    private static HolderState Holder(string issued, string implemented, uint seq, uint issueSeq) => new()
    {
        Issued = Literals.Cap(issued),
        Implemented = Literals.Cap(implemented),
        Seq = new CapSeq(seq),
        IssueSeq = new IssueSeq(issueSeq),
    };
}
