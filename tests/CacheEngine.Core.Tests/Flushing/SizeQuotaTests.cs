using CacheEngine.Flushing;

namespace CacheEngine.Core.Tests.Flushing;

public class SizeQuotaTests
{
    private const long Step = 100;
    private const long Ceiling = 1_050;

    private static readonly SizeQuota Quota = new(Step, Ceiling);

    [Theory]
    [InlineData(0, 0, 100)]
    [InlineData(49, 0, 100)]
    [InlineData(50, 0, 200)]
    [InlineData(10, 60, 200)]
    [InlineData(499, 0, 1_000)]
    [InlineData(500, 0, 1_050)]
    [InlineData(5_000, 0, 1_050)]
    [InlineData(0, long.MaxValue, 1_050)]
    public void Limit_IsRoomToDoubleInWholeSteps_UpToTheCeiling(long size, long wanted, long limit) => Assert.Equal(limit, Quota.Limit(size, wanted));

    [Fact]
    [Rule("FLU-11", "P31")]
    public void Limit_CoversTheWish_UnlessTheCeilingDoesNot()
    {
        for (long wanted = 0; wanted < 2 * Ceiling; wanted++)
        {
            long limit = Quota.Limit(0, wanted);
            Assert.InRange(limit, Math.Min(wanted, Ceiling), Ceiling);
        }
    }

    [Fact]
    [Rule("FLU-11")]
    public void AWriter_AsksWhenHalfIsUsed_OnceForEachLimit()
    {
        for (long size = 0; size <= 2 * Step; size++)
        {
            Assert.Equal(size >= Step / 2, SizeQuota.AsksForMore(size, reported: 0, Step));
            Assert.False(SizeQuota.AsksForMore(size, reported: Step / 2, Step));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    [InlineData(2, 1)]
    public void ASenselessQuota_IsRefused(long step, long ceiling) => Assert.Throws<ArgumentOutOfRangeException>(() => new SizeQuota(step, ceiling));
}
