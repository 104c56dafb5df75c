namespace CacheEngine.Load.Judging;

/// <summary>One thing that must hold at the end of a run.</summary>
/// <param name="Metric">What is looked at.</param>
/// <param name="Limit">What it may not pass: a ceiling, but for the achieved share a floor.</param>
/// <param name="Reason">Why the limit is where it is.</param>
/// <param name="Step">Whose latency; null for all operations together.</param>
public sealed record LoadThreshold(LoadMetric Metric, double Limit, string Reason, string? Step = null)
{
    /// <summary>What no run may break.</summary>
    public static IReadOnlyList<LoadThreshold> OfEveryRun { get; } =
    [
        new(LoadMetric.Stale, 0, "a local hit is never stale"),
        new(LoadMetric.Failed, 0, "nothing here may fail: nobody is cut off, and no time limit is near"),
        new(LoadMetric.Shed, 0, "whoever turns arrivals away has stopped measuring them"),
        new(LoadMetric.RefusedMessages, 0, "a node never says what the authority does not understand"),
        new(LoadMetric.AchievedShare, 0.95, "a queue that only grows is a rate that is not sustained"),
    ];

    public bool IsFloor => Metric == LoadMetric.AchievedShare;

    public string Name => (Metric, Step) switch
    {
        (LoadMetric.Stale, _) => "stale",
        (LoadMetric.Failed, _) => "failed",
        (LoadMetric.Shed, _) => "shed",
        (LoadMetric.RefusedMessages, _) => "refused messages",
        (LoadMetric.AchievedShare, _) => "achieved share",
        (_, null) => Percentile,
        (_, { } step) => $"{Percentile} of {step}",
    };

    private string Percentile => Metric switch
    {
        LoadMetric.P50 => "p50",
        LoadMetric.P99 => "p99",
        LoadMetric.P999 => "p99.9",
        _ => throw new InvalidOperationException($"{Metric} is no percentile."),
    };

    /// <summary>Judges what was found. What was never measured does not hold.</summary>
    public ThresholdVerdict Judge(double actual) => new(this, actual, IsFloor ? actual >= Limit : actual <= Limit);
}

/// <summary>A threshold after the run.</summary>
/// <param name="Threshold">What had to hold.</param>
/// <param name="Actual">What was found; not a number if nothing was.</param>
/// <param name="IsPassed">Whether it held.</param>
public readonly record struct ThresholdVerdict(LoadThreshold Threshold, double Actual, bool IsPassed);
