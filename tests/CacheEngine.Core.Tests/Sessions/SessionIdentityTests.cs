using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

public class SessionIdentityTests
{
    [Fact]
    [Rule("T52", "VAL-2")]
    public void Generation_RisesAndNeverWraps()
    {
        Assert.Equal(new SessionGeneration(8), new SessionGeneration(7).Next());
        Assert.Throws<OverflowException>(() => new SessionGeneration(uint.MaxValue).Next());
    }

    [Theory]
    [InlineData(1, 0, true, false)]
    [InlineData(4, 4, true, true)]
    [InlineData(3, 4, false, true)]
    [InlineData(ulong.MaxValue, 1, true, false)]
    public void MessageSeq_IsOrderedAsANumber(ulong left, ulong right, bool atLeast, bool atMost)
    {
        Assert.Equal(atLeast, new MessageSeq(left) >= new MessageSeq(right));
        Assert.Equal(atMost, new MessageSeq(left) <= new MessageSeq(right));
        Assert.Equal(new MessageSeq(1), default(MessageSeq).Next());
    }
}
