using CacheEngine.Load.Measuring;

namespace CacheEngine.Load.Judging;

/// <summary>Holds a scenario's thresholds against a run.</summary>
internal static class Judge
{
    public static IReadOnlyList<ThresholdVerdict> All(IEnumerable<LoadThreshold> thresholds, RunResult result) =>
        [.. thresholds.Select(threshold => threshold.Judge(Find(threshold, result)))];

    private static double Find(LoadThreshold threshold, RunResult result) => threshold.Metric switch
    {
        LoadMetric.Stale => result.Stale,
        LoadMetric.Failed => result.Failed + result.Unfinished,
        LoadMetric.Shed => result.Shed,
        LoadMetric.RefusedMessages => result.Figures.RefusedMessages,
        LoadMetric.AchievedShare => result.AchievedShare,
        LoadMetric.P50 => Latency(threshold, result, static latency => latency.P50),
        LoadMetric.P99 => Latency(threshold, result, static latency => latency.P99),
        LoadMetric.P999 => Latency(threshold, result, static latency => latency.P999),
        _ => throw new InvalidOperationException($"There is no metric {threshold.Metric}."),
    };

    /// <summary>In milliseconds, from the intended start.</summary>
    private static double Latency(LoadThreshold threshold, RunResult result, Func<LatencySummary, TimeSpan> percentile)
    {
        StepResult? step = threshold.Step is null ? result.All : result.Steps.FirstOrDefault(step => step.Name == threshold.Step);
        return step is { Count: > 0 } ? percentile(step.Latency).TotalMilliseconds : double.NaN;
    }
}
