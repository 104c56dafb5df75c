using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

public class LeaseStateTests
{
    private const long Term = 60_000;
    private const long Margin = 80;

    private static readonly LeaseTerms _terms = new(Term, clockDrift: 0.001, granularityMilliseconds: 10, sessionTimeoutMilliseconds: 5 * Term);
    private static readonly MessageSeq _nothingOwed = default;

    [Fact]
    public void Initial_MayServeAtNoTime()
    {
        LeaseState lease = LeaseState.Initial;

        Assert.Equal(long.MinValue, lease.Deadline);
        _ = lease.Sent(0);
        Assert.False(lease.TookIn(new MessageSeq(9)));
        Assert.Equal(long.MinValue, lease.Deadline);
    }

    [Fact]
    [Rule("SES-08", "T53", "P06")]
    public void ReplyDelayed_CountsFromTheQuestion()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq question = lease.Sent(now: 1_000);

        // The reply comes 0.7 of the term later; nothing in the lease knows or asks when.
        Assert.True(lease.Answered(question, _nothingOwed, _nothingOwed, _terms));

        Assert.Equal(1_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-08")]
    public void AnswersSwapped_TheLaterQuestionDecides()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq earlier = lease.Sent(now: 0);
        RenewSeq later = lease.Sent(now: 20_000);

        Assert.True(lease.Answered(later, _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(20_000 + Term - Margin, lease.Deadline);
        Assert.False(lease.Answered(earlier, _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(20_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-08")]
    public void AnswersInOrder_EachCountsFromItsOwnQuestion()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq earlier = lease.Sent(now: 0);
        RenewSeq later = lease.Sent(now: 20_000);

        Assert.True(lease.Answered(earlier, _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(Term - Margin, lease.Deadline);
        Assert.True(lease.Answered(later, _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(20_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-08")]
    public void AnswerRepeatedOrNeverAsked_ChangesNothing()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq question = lease.Sent(now: 500);

        Assert.False(lease.Answered(new RenewSeq(0), _nothingOwed, _nothingOwed, _terms));
        Assert.False(lease.Answered(new RenewSeq(question.Value + 1), _nothingOwed, _nothingOwed, _terms));
        Assert.False(lease.Answered(new RenewSeq(ulong.MaxValue), _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(long.MinValue, lease.Deadline);
        Assert.True(lease.Answered(question, _nothingOwed, _nothingOwed, _terms));
        Assert.False(lease.Answered(question, _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(500 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("P27")]
    public void Answer_IsHeldUntilEverythingOwedHasBeenTakenIn()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq question = lease.Sent(now: 0);

        Assert.False(lease.Answered(question, owedThrough: new MessageSeq(5), tookIn: new MessageSeq(3), _terms));
        Assert.False(lease.TookIn(new MessageSeq(4)));
        Assert.Equal(long.MinValue, lease.Deadline);
        Assert.True(lease.TookIn(new MessageSeq(5)));
        Assert.Equal(Term - Margin, lease.Deadline);
        Assert.False(lease.TookIn(new MessageSeq(6)));
    }

    [Fact]
    [Rule("P27")]
    public void Answer_CountsAtOnceWhenNothingIsOwedAnyMore()
    {
        LeaseState lease = LeaseState.Initial;

        Assert.True(lease.Answered(lease.Sent(now: 0), owedThrough: new MessageSeq(5), tookIn: new MessageSeq(5), _terms));
        Assert.True(lease.Answered(lease.Sent(now: 1), owedThrough: new MessageSeq(5), tookIn: new MessageSeq(9), _terms));
        Assert.Equal(1 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("P27")]
    public void Node_ThatIsAlwaysALittleBehind_StillExtendsItsLease()
    {
        var lease = LeaseState.Initial;
        _ = lease.Answered(lease.Sent(now: 0), owedThrough: new MessageSeq(10), tookIn: new MessageSeq(5), _terms);
        _ = lease.Answered(lease.Sent(now: 1_000), owedThrough: new MessageSeq(20), tookIn: new MessageSeq(8), _terms);
        _ = lease.Answered(lease.Sent(now: 2_000), owedThrough: new MessageSeq(30), tookIn: new MessageSeq(9), _terms);

        Assert.True(lease.TookIn(new MessageSeq(10)));
        Assert.Equal(_terms.HolderDeadline(0), lease.Deadline);
        Assert.False(lease.TookIn(new MessageSeq(29)));
        Assert.True(lease.TookIn(new MessageSeq(30)));
        Assert.Equal(_terms.HolderDeadline(2_000), lease.Deadline);
    }

    [Fact]
    [Rule("P27")]
    public void HeldAnswer_LeavesTheEarlierDeadlineStanding()
    {
        LeaseState lease = LeaseState.Initial;
        _ = lease.Answered(lease.Sent(now: 0), _nothingOwed, _nothingOwed, _terms);

        Assert.False(lease.Answered(lease.Sent(now: 20_000), owedThrough: new MessageSeq(7), tookIn: new MessageSeq(6), _terms));
        Assert.Equal(Term - Margin, lease.Deadline);
        Assert.False(lease.Answered(lease.Sent(now: 40_000), owedThrough: new MessageSeq(8), tookIn: new MessageSeq(6), _terms));
        Assert.True(lease.TookIn(new MessageSeq(8)));
        Assert.Equal(40_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-29", "P06")]
    public void Void_EndsTheLeaseAndEveryQuestionAskedBefore()
    {
        LeaseState lease = LeaseState.Initial;
        _ = lease.Answered(lease.Sent(now: 0), _nothingOwed, _nothingOwed, _terms);
        RenewSeq held = lease.Sent(now: 1);
        _ = lease.Answered(held, owedThrough: new MessageSeq(5), tookIn: new MessageSeq(4), _terms);
        RenewSeq unanswered = lease.Sent(now: 2);

        lease.Void();

        Assert.Equal(long.MinValue, lease.Deadline);
        Assert.False(lease.TookIn(new MessageSeq(5)));
        Assert.False(lease.Answered(unanswered, _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(long.MinValue, lease.Deadline);
        Assert.True(lease.Answered(lease.Sent(now: 3), _nothingOwed, _nothingOwed, _terms));
        Assert.Equal(3 + Term - Margin, lease.Deadline);
    }

    [Fact]
    public void MoreQuestionsThanRemembered_OnlyTheOldestAreForgotten()
    {
        const int Asked = (2 * LeaseState.MaxOutstanding) + 3;
        LeaseState asked = LeaseState.Initial;
        var questions = new List<(RenewSeq Seq, long SentAt)>();
        for (int i = 0; i < Asked; i++)
        {
            questions.Add((asked.Sent(1_000 * i), 1_000 * i));
        }

        for (int i = 0; i < Asked; i++)
        {
            LeaseState lease = asked;
            bool isRemembered = i >= Asked - LeaseState.MaxOutstanding;

            Assert.Equal(isRemembered, lease.Answered(questions[i].Seq, _nothingOwed, _nothingOwed, _terms));
            Assert.Equal(isRemembered ? questions[i].SentAt + Term - Margin : long.MinValue, lease.Deadline);
        }
    }
}
