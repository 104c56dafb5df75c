using CacheEngine.Inodes;

namespace CacheEngine.Core.Tests.Inodes;

public class AcquireDecisionTests
{
    [Theory]
    [Rule("T84")]
    [InlineData("Fr", "Fc", "-", "Fr", "Fc", nameof(AcquireOutcome.Granted), "Fr")] // the cache is being taken back: read on, uncached
    [InlineData("Frw", "Fb", "-", "Fr", "Fc", nameof(AcquireOutcome.Granted), "Fr")] // the buffer is: it does not concern a reader
    [InlineData("Frw", "Fb", "-", "Fw", "Fb", nameof(AcquireOutcome.Wait), "-")] // but a writer waits until it is written back
    [InlineData("Frw", "Fb", "-", "Fr", "Fw", nameof(AcquireOutcome.Granted), "Fr")] // and nobody becomes one by wanting
    [InlineData("Frw", "Fc", "-", "Fw", "Fb", nameof(AcquireOutcome.Granted), "Fw")]
    [InlineData("Frwb", "-", "-", "Fw", "Fb", nameof(AcquireOutcome.Granted), "Fwb")]
    [InlineData("Frwb", "-", "-", "Fw", "Fcb", nameof(AcquireOutcome.Granted), "Fw")] // all or none
    [InlineData("Fr", "-", "-", "Frw", "Fb", nameof(AcquireOutcome.Ask), "-")]
    [InlineData("Fr", "-", "Frwb", "Frw", "Fb", nameof(AcquireOutcome.Wait), "-")]
    [InlineData("Fr", "-", "Fw", "Frw", "Fb", nameof(AcquireOutcome.Ask), "-")] // the question under way does not cover the need
    [InlineData("-", "-", "-", "-", "Fc", nameof(AcquireOutcome.Granted), "-")]
    public void Acquire(string issued, string revoking, string asked, string need, string want, string outcome, string got)
    {
        AcquireDecision decision = AcquireDecision.Decide(
            Literals.Cap(issued), Literals.Cap(revoking), Literals.Cap(asked), Literals.Cap(need), Literals.Cap(want));

        Assert.Equal(outcome, decision.Outcome.ToString());
        Assert.Equal(got, decision.Got.ToString());
    }
}
