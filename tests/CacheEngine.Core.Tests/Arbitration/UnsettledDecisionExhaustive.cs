using CacheEngine.Arbitration;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Arbitration;

[Rule("P08")]
public class UnsettledDecisionExhaustive
{
    private const long Since = 10_000;

    private static readonly LeaseTerms Terms = new(1_000, clockDrift: 0.01, granularityMilliseconds: 5, sessionTimeoutMilliseconds: 5_000);

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    public void ARaisedFence_NeedsNoWaiting_HoweverLateItIs(long maxWrite)
    {
        foreach (long now in new[] { Since, Since + 1, Since + maxWrite, Since + 1_000_000 })
        {
            UnsettledDecision decision = UnsettledDecision.Decide(Since, new SourceTerms(true, true, maxWrite), Terms, now);
            Assert.Equal((UnsettledStep.RaiseFence, long.MaxValue), (decision.Step, decision.Until));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(86_400_000)]
    public void WithoutOne_TheBoundIsWaitedFor_ToTheMillisecond(long maxWrite)
    {
        var source = new SourceTerms(true, false, maxWrite);
        long until = Since + Terms.AtMostElsewhere(maxWrite);
        Assert.True(until > Since + maxWrite);
        for (long now = until - 3; now < until; now++)
        {
            Assert.Equal(new UnsettledDecision(UnsettledStep.Wait, until), UnsettledDecision.Decide(Since, source, Terms, now));
        }

        Assert.Equal(UnsettledStep.Wait, UnsettledDecision.Decide(Since, source, Terms, Since).Step);
        for (long now = until; now < until + 3; now++)
        {
            Assert.Equal(UnsettledStep.Settled, UnsettledDecision.Decide(Since, source, Terms, now).Step);
        }
    }

    [Theory]
    [InlineData(false, false, 0, false)]
    [InlineData(false, true, 0, false)]
    [InlineData(false, false, 5, false)]
    [InlineData(true, false, 0, false)]
    [InlineData(true, true, 0, true)]
    [InlineData(true, false, 1, true)]
    public void WritesAreAllowed_OnlyWhereTheirEndCanBeMadeCertain(bool isAtSource, bool raises, long maxWrite, bool allowed) =>
        Assert.Equal(allowed, new SourceTerms(isAtSource, raises, maxWrite).AllowsWrites);
}
