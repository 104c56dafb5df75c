using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

public class LeaseStateTests
{
    private const long Term = 60_000;
    private const long Margin = 80;

    private static readonly LeaseTerms Terms = new(Term, clockDrift: 0.001, granularityMilliseconds: 10, sessionTimeoutMilliseconds: 5 * Term);
    private static readonly MessageSeq NothingOwed = default;

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
        Assert.True(lease.Answered(question, NothingOwed, NothingOwed, Terms));

        Assert.Equal(1_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-08")]
    public void AnswersSwapped_TheLaterQuestionDecides()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq earlier = lease.Sent(now: 0);
        RenewSeq later = lease.Sent(now: 20_000);

        Assert.True(lease.Answered(later, NothingOwed, NothingOwed, Terms));
        Assert.Equal(20_000 + Term - Margin, lease.Deadline);
        Assert.False(lease.Answered(earlier, NothingOwed, NothingOwed, Terms));
        Assert.Equal(20_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-08")]
    public void AnswersInOrder_EachCountsFromItsOwnQuestion()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq earlier = lease.Sent(now: 0);
        RenewSeq later = lease.Sent(now: 20_000);

        Assert.True(lease.Answered(earlier, NothingOwed, NothingOwed, Terms));
        Assert.Equal(Term - Margin, lease.Deadline);
        Assert.True(lease.Answered(later, NothingOwed, NothingOwed, Terms));
        Assert.Equal(20_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-08")]
    public void AnswerRepeatedOrNeverAsked_ChangesNothing()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq question = lease.Sent(now: 500);

        Assert.False(lease.Answered(new RenewSeq(0), NothingOwed, NothingOwed, Terms));
        Assert.False(lease.Answered(new RenewSeq(question.Value + 1), NothingOwed, NothingOwed, Terms));
        Assert.False(lease.Answered(new RenewSeq(ulong.MaxValue), NothingOwed, NothingOwed, Terms));
        Assert.Equal(long.MinValue, lease.Deadline);
        Assert.True(lease.Answered(question, NothingOwed, NothingOwed, Terms));
        Assert.False(lease.Answered(question, NothingOwed, NothingOwed, Terms));
        Assert.Equal(500 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("P27")]
    public void Answer_IsHeldUntilEverythingOwedHasBeenTakenIn()
    {
        LeaseState lease = LeaseState.Initial;
        RenewSeq question = lease.Sent(now: 0);

        Assert.False(lease.Answered(question, owedThrough: new MessageSeq(5), tookIn: new MessageSeq(3), Terms));
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

        Assert.True(lease.Answered(lease.Sent(now: 0), owedThrough: new MessageSeq(5), tookIn: new MessageSeq(5), Terms));
        Assert.True(lease.Answered(lease.Sent(now: 1), owedThrough: new MessageSeq(5), tookIn: new MessageSeq(9), Terms));
        Assert.Equal(1 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("P27")]
    public void Node_ThatIsAlwaysALittleBehind_StillExtendsItsLease()
    {
        var lease = LeaseState.Initial;
        _ = lease.Answered(lease.Sent(now: 0), owedThrough: new MessageSeq(10), tookIn: new MessageSeq(5), Terms);
        _ = lease.Answered(lease.Sent(now: 1_000), owedThrough: new MessageSeq(20), tookIn: new MessageSeq(8), Terms);
        _ = lease.Answered(lease.Sent(now: 2_000), owedThrough: new MessageSeq(30), tookIn: new MessageSeq(9), Terms);

        Assert.True(lease.TookIn(new MessageSeq(10)));
        Assert.Equal(Terms.HolderDeadline(0), lease.Deadline);
        Assert.False(lease.TookIn(new MessageSeq(29)));
        Assert.True(lease.TookIn(new MessageSeq(30)));
        Assert.Equal(Terms.HolderDeadline(2_000), lease.Deadline);
    }

    [Fact]
    [Rule("P27")]
    public void HeldAnswer_LeavesTheEarlierDeadlineStanding()
    {
        LeaseState lease = LeaseState.Initial;
        _ = lease.Answered(lease.Sent(now: 0), NothingOwed, NothingOwed, Terms);

        Assert.False(lease.Answered(lease.Sent(now: 20_000), owedThrough: new MessageSeq(7), tookIn: new MessageSeq(6), Terms));
        Assert.Equal(Term - Margin, lease.Deadline);
        Assert.False(lease.Answered(lease.Sent(now: 40_000), owedThrough: new MessageSeq(8), tookIn: new MessageSeq(6), Terms));
        Assert.True(lease.TookIn(new MessageSeq(8)));
        Assert.Equal(40_000 + Term - Margin, lease.Deadline);
    }

    [Fact]
    [Rule("SES-29", "P06")]
    public void Void_EndsTheLeaseAndEveryQuestionAskedBefore()
    {
        LeaseState lease = LeaseState.Initial;
        _ = lease.Answered(lease.Sent(now: 0), NothingOwed, NothingOwed, Terms);
        RenewSeq held = lease.Sent(now: 1);
        _ = lease.Answered(held, owedThrough: new MessageSeq(5), tookIn: new MessageSeq(4), Terms);
        RenewSeq unanswered = lease.Sent(now: 2);

        lease.Void();

        Assert.Equal(long.MinValue, lease.Deadline);
        Assert.False(lease.TookIn(new MessageSeq(5)));
        Assert.False(lease.Answered(unanswered, NothingOwed, NothingOwed, Terms));
        Assert.Equal(long.MinValue, lease.Deadline);
        Assert.True(lease.Answered(lease.Sent(now: 3), NothingOwed, NothingOwed, Terms));
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

            Assert.Equal(isRemembered, lease.Answered(questions[i].Seq, NothingOwed, NothingOwed, Terms));
            Assert.Equal(isRemembered ? questions[i].SentAt + Term - Margin : long.MinValue, lease.Deadline);
        }
    }
}
