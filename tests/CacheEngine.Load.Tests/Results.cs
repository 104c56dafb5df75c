using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests;

/// <summary>Runs that never were, for whoever judges or describes them.</summary>
internal static class Results
{
    /// <summary>A second with a thousand operations: 990 hits of 10 µs and ten writes of 20 ms.</summary>
    public static RunResult Healthy { get; } = new()
    {
        Duration = TimeSpan.FromSeconds(1),
        Elapsed = TimeSpan.FromSeconds(1),
        Arrived = 1_000,
        Shed = 0,
        Unfinished = 0,
        Failures = new Dictionary<string, long>(),
        Steps = [Step("hits", 990, TimeSpan.FromMicroseconds(10)), Step("write", 10, TimeSpan.FromMilliseconds(20))],
        All = new StepResult("all", 1_000, 0, Latency(0.01, 20), Latency(0.01, 20)),
        Figures = new WorkloadFigures(Lookups: 31_680, Hits: 31_000, Writes: 10, Loads: 5, Revokes: 20, Questions: 600, RefusedMessages: 0),
        Process = new ProcessFigures(
            AllocatedBytes: 4_096_000, Generation0: 3, Generation1: 2, Generation2: 1, TimeSpan.FromMilliseconds(7), TimeSpan.FromSeconds(1.5)),
    };

    public static RunResult WithFailures(params (string Reason, long Count)[] failures) =>
        Healthy with { Failures = failures.ToDictionary(static failure => failure.Reason, static failure => failure.Count) };

    private static StepResult Step(string name, long count, TimeSpan latency) =>
        new(name, count, 0, Latency(latency.TotalMilliseconds, latency.TotalMilliseconds), Latency(latency.TotalMilliseconds, latency.TotalMilliseconds));

    private static LatencySummary Latency(double ordinary, double worst) => new(
        P50: TimeSpan.FromMilliseconds(ordinary),
        P90: TimeSpan.FromMilliseconds(ordinary),
        P99: TimeSpan.FromMilliseconds(ordinary),
        P999: TimeSpan.FromMilliseconds(worst),
        Max: TimeSpan.FromMilliseconds(worst),
        Mean: TimeSpan.FromMilliseconds(ordinary));
}
