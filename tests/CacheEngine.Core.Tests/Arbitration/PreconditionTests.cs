using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

public class PreconditionTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(long.MaxValue)]
    public void Default_ExpectsNothing(long current) => Assert.Equal(Refusal.None, default(Precondition).Judge(current));

    [Theory]
    [InlineData(0, 0, Refusal.None)]
    [InlineData(0, 1, Refusal.VersionDiffers)]
    [InlineData(1, 0, Refusal.VersionUnknown)]
    [InlineData(7, 7, Refusal.None)]
    [InlineData(6, 7, Refusal.VersionDiffers)]
    [InlineData(8, 7, Refusal.VersionUnknown)]
    [InlineData(long.MaxValue, 7, Refusal.VersionUnknown)]
    internal void Exactly_TellsAPastVersionFromOneThatNeverWas(long expected, long current, Refusal refusal) =>
        Assert.Equal(refusal, Precondition.Exactly(expected).Judge(current));

    [Fact]
    [Rule("P17")]
    public void AVersionThatDiffers_DiffersForEver()
    {
        for (long expected = 0; expected < 10; expected++)
        {
            for (long current = expected + 1; current < 20; current++)
            {
                Assert.Equal(Refusal.VersionDiffers, Precondition.Exactly(expected).Judge(current));
            }
        }
    }

    [Fact]
    public void Fences_CompareByTheirNumbers()
    {
        var one = new Fence(1);
        var two = new Fence(2);
        Assert.True(one < two && two > one && one <= two && two >= one);
        Assert.True(one <= new Fence(1) && one >= new Fence(1));
        Assert.False(one < new Fence(1) || one > new Fence(1));
        Assert.Equal([one, two], new[] { two, one }.Order());
        Assert.Equal("2", two.ToString());
    }
}
