namespace CacheEngine.Load.Measuring;

/// <summary>What is told of a histogram.</summary>
internal sealed record LatencySummary(TimeSpan P50, TimeSpan P90, TimeSpan P99, TimeSpan P999, TimeSpan Max, TimeSpan Mean)
{
    public static LatencySummary Of(LatencyHistogram histogram) => new(
        Span(histogram.Percentile(0.50)),
        Span(histogram.Percentile(0.90)),
        Span(histogram.Percentile(0.99)),
        Span(histogram.Percentile(0.999)),
        Span(histogram.Max),
        Span(histogram.Mean));

    private static TimeSpan Span(double nanoseconds) => TimeSpan.FromTicks((long)Math.Round(nanoseconds / TimeSpan.NanosecondsPerTick));
}
