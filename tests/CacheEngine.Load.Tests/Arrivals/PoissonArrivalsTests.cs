using CacheEngine.Load.Arrivals;

namespace CacheEngine.Load.Tests.Arrivals;

public sealed class PoissonArrivalsTests
{
    private const int Rate = 1_000;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(100);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    public void Times_OfALongRun_ComeAtTheRate(int seed)
    {
        double expected = Rate * Duration.TotalSeconds;

        // The count of a Poisson process deviates by the root of its mean; five times that never happens.
        Assert.InRange(Times(seed).Length, expected - (5 * Math.Sqrt(expected)), expected + (5 * Math.Sqrt(expected)));
    }

    [Fact]
    public void Times_OfOneSeed_AreTheSame()
    {
        Assert.Equal(Times(seed: 7), Times(seed: 7));
        Assert.NotEqual(Times(seed: 7).Take(10), Times(seed: 8).Take(10));
    }

    [Fact]
    public void Times_AreInOrderAndWithinTheRun()
    {
        TimeSpan[] times = Times(seed: 3);
        Assert.Equal(times.Order(), times);
        Assert.InRange(times[0], TimeSpan.Zero, Duration);
        Assert.True(times[^1] < Duration);
    }

    [Fact]
    public void Gaps_AreExponential()
    {
        TimeSpan[] times = Times(seed: 4);
        double[] gaps = [.. times.Zip(times.Skip(1), static (one, next) => (next - one).TotalSeconds)];
        double mean = gaps.Average();
        double deviation = Math.Sqrt(gaps.Average(gap => (gap - mean) * (gap - mean)));

        // Their deviation is their mean, and one in e is longer than it; a metronome has neither.
        Assert.InRange(deviation / mean, 0.97, 1.03);
        Assert.InRange(gaps.Count(gap => gap > mean) / (double)gaps.Length, (1 / Math.E) - 0.01, (1 / Math.E) + 0.01);
    }

    private static TimeSpan[] Times(int seed) => [.. new PoissonArrivals(Rate, Duration, seed).Times()];
}
