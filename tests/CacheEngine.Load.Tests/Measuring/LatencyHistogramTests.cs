using CacheEngine.Load.Measuring;

namespace CacheEngine.Load.Tests.Measuring;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Bucket_OfEveryPowerOfTwo_EndsCloseAboveIt()
    {
        foreach (long power in Enumerable.Range(1, 62).Select(static bit => 1L << bit))
        {
            foreach (long value in (long[])[power - 1, power, power + 1])
            {
                int index = LatencyHistogram.IndexOf(value);
                long highest = LatencyHistogram.HighestOf(index);
                Assert.InRange(highest, value, value + (value / 256));
                Assert.Equal((index, index + 1), (LatencyHistogram.IndexOf(highest), LatencyHistogram.IndexOf(highest + 1)));
            }
        }

        Assert.Equal(long.MaxValue, LatencyHistogram.HighestOf(LatencyHistogram.IndexOf(long.MaxValue)));
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.50)]
    [InlineData(0.90)]
    [InlineData(0.99)]
    [InlineData(0.999)]
    [InlineData(1.0)]
    public void Percentile_IsThatOfTheSortedValues(double share)
    {
        var random = new Random(5);
        long[] values = [.. Enumerable.Range(0, 10_000).Select(_ => (long)Math.Exp(random.NextDouble() * 25))];
        LatencyHistogram histogram = Of(values);
        Array.Sort(values);
        long exact = values[Math.Max(0, (int)Math.Ceiling(share * values.Length) - 1)];
        Assert.InRange(histogram.Percentile(share), exact, exact + (exact / 256));
    }

    [Fact]
    public void Percentile_IsNeverAboveTheLargestValue() => Assert.Equal(1_000_001, Of(1, 1_000_001).Percentile(1));

    [Fact]
    public void Empty_HasNothingToTell()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal((0, 0, 0, 0), (histogram.Count, histogram.Max, histogram.Percentile(0.5), (long)histogram.Mean));
    }

    [Fact]
    public void Record_BelowZero_CountsAsZero() => Assert.Equal((1, 0), (Of(-5).Count, Of(-5).Percentile(1)));

    [Fact]
    public void Add_TakesInAllOfTheOther()
    {
        LatencyHistogram histogram = Of(10, 20);
        histogram.Add(Of(30, 400));
        Assert.Equal((4, 400, 20, 115), (histogram.Count, histogram.Max, histogram.Percentile(0.5), (long)histogram.Mean));
    }

    [Fact]
    public void Record_ByManyThreads_LosesNothing()
    {
        var histogram = new LatencyHistogram();
        Parallel.For(0, 100_000, value => histogram.Record(value % 100));
        Assert.Equal((100_000, 99), (histogram.Count, histogram.Max));
        Assert.Equal(49.5, histogram.Mean, tolerance: 0.001);
    }

    private static LatencyHistogram Of(params long[] values)
    {
        var histogram = new LatencyHistogram();
        Array.ForEach(values, histogram.Record);
        return histogram;
    }
}
