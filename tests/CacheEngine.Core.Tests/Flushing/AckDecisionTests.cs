using CacheEngine.Flushing;

namespace CacheEngine.Core.Tests.Flushing;

public class AckDecisionTests
{
    [Theory]
    [Rule("T01", "P16")]
    [InlineData(FlushPhase.Open, FlushPhase.Open, FlushPhase.Open)]
    [InlineData(FlushPhase.Sealed, FlushPhase.Applied, FlushPhase.Durable)]
    [InlineData(FlushPhase.Sent, FlushPhase.Applied, FlushPhase.Durable)]
    [InlineData(FlushPhase.Applied, FlushPhase.Applied, FlushPhase.Durable)]
    [InlineData(FlushPhase.Durable, FlushPhase.Durable, FlushPhase.Durable)]
    [InlineData(FlushPhase.Lost, FlushPhase.Lost, FlushPhase.Lost)]
    public void After_EveryPhase(object phase, object applied, object durable)
    {
        Assert.Equal(applied, AckDecision.After((FlushPhase)phase, isDurable: false));
        Assert.Equal(durable, AckDecision.After((FlushPhase)phase, isDurable: true));
    }
}
