using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

[Rule("P09")]
public class IncarnationTests
{
    private const long Utc = 1_800_000_000_000;

    [Fact]
    public void Next_ClockAhead_IsTheClock() => Assert.Equal(Utc + 5, new Incarnation(Utc).Next(Utc + 5).Ordinal);

    [Theory]
    [InlineData(Utc)]
    [InlineData(Utc - 1)]
    [InlineData(0)]
    [InlineData(long.MinValue)]
    public void Next_ClockEqualOrBehind_IsOneMore(long clock) => Assert.Equal(Utc + 1, new Incarnation(Utc).Next(clock).Ordinal);

    [Fact]
    public void Next_NoneKnown_IsTheClock_AndAtLeastOne()
    {
        Assert.Equal(Utc, default(Incarnation).Next(Utc).Ordinal);
        Assert.Equal(1, default(Incarnation).Next(0).Ordinal);
        Assert.Equal(1, default(Incarnation).Next(-Utc).Ordinal);
    }

    [Fact]
    public void Next_ClockBeyondTheLastOrdinal_IsTheLast() =>
        Assert.Equal(Incarnation.MaxOrdinal, new Incarnation(Utc).Next(long.MaxValue).Ordinal);

    [Fact]
    public void After_SameIncarnation_GrowsByOne()
    {
        var life = new Incarnation(Utc);
        long first = life.After(0);
        Assert.Equal(first + 1, life.After(first));
        Assert.Equal(first + 2, life.After(first + 1));
    }

    [Fact]
    public void After_LastOrdinal_DoesNotOverflow()
    {
        long last = new Incarnation(Incarnation.MaxOrdinal).After(0);
        Assert.True(last > 0);
        Assert.True(new Incarnation(Incarnation.MaxOrdinal).After(last) > last);
    }

    [Fact]
    public void After_ForgottenInTheSameMillisecond_AndStoredIncarnationKnown_IsGreater()
    {
        var life = new Incarnation(Utc);
        long number = 0;
        for (int i = 0; i < 1_000; i++)
        {
            number = life.After(number);
        }

        Assert.True(life.Next(Utc).After(0) > number);
        Assert.True(life.Next(0).After(0) > number);
    }

    [Fact]
    public void After_CounterRanIntoTheOrdinal_TheNextLifeGoesOnFromWhatIsStored()
    {
        var life = new Incarnation(Utc);
        long far = life.After(0) + (10 * Incarnation.PerMillisecond);
        Assert.True(life.Next(Utc).After(far) > far);
        Assert.Equal(far + 1, life.After(far));
    }

    [Fact]
    public void After_AnyWalkOfRestartsAndForgetting_Grows()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Walk(new Random(seed), seed);
        }
    }

    /// <summary>Restarts that know the last incarnation whatever the clock says, and losses of everything, with a clock that has gone on.</summary>
    private static void Walk(Random random, int seed)
    {
        long clock = Utc;
        var life = default(Incarnation).Next(clock);
        long stored = 0;
        long greatest = 0;
        for (int step = 0; step < 200; step++)
        {
            switch (random.Next(6))
            {
                case 0:
                    life = life.Next(clock + random.Next(-50, 50));
                    clock = Math.Max(clock, life.Ordinal);
                    break;
                case 1:
                    life = life.Next(clock);
                    clock = Math.Max(clock, life.Ordinal);
                    stored = 0;
                    break;
                case 2:
                    clock += random.Next(1, 100);
                    life = default(Incarnation).Next(clock);
                    stored = 0;
                    break;
                default:
                    stored = life.After(stored);
                    Assert.True(stored > greatest, $"seed {seed}, step {step}: {stored} after {greatest}");
                    greatest = stored;
                    break;
            }
        }
    }
}
