using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

public class SuspendDecisionTests
{
    [Theory]
    [Rule("SES-29")]
    [InlineData(0, 600_000, true)]
    [InlineData(250, 600_250, true)]
    [InlineData(250, 251, false)]
    [InlineData(250, 250, false)]
    [InlineData(250, 1_250, false)]
    [InlineData(250, 1_251, true)]
    [InlineData(600_000, 600_000, false)]
    [InlineData(600_000, 250, false)]
    [InlineData(250, -600_000, false)]
    public void Suspended_IsAWallClockThatRanAwayByMoreThanTheAllowance(long monotonic, long wall, bool suspended) =>
        Assert.Equal(suspended, SuspendDecision.Decide(monotonic, wall, allowanceMilliseconds: 1_000));
}
