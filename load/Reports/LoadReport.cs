using System.Reflection;
using System.Runtime.InteropServices;
using CacheEngine.Load.Judging;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Reports;

/// <summary>A run as it is written down: all that is needed to understand it later, and to compare it with another.</summary>
internal sealed record LoadReport
{
    public required string Scenario { get; init; }

    public required string Description { get; init; }

    /// <summary>What one operation is.</summary>
    public required string Operation { get; init; }

    public required DateTimeOffset EndedAt { get; init; }

    public required LoadParameters Parameters { get; init; }

    public required MachineReport Machine { get; init; }

    public required RunResult Result { get; init; }

    public required IReadOnlyList<ThresholdReport> Thresholds { get; init; }

    /// <summary>The unit of every span of time in the JSON form.</summary>
    public string TimeUnit => "microseconds";

    public bool IsPassed => Thresholds.All(static threshold => threshold.IsPassed);

    public static LoadReport Of(LoadScenario scenario, LoadParameters parameters, RunResult result, IReadOnlyList<ThresholdVerdict> verdicts) => new()
    {
        Scenario = scenario.Name,
        Description = scenario.Description,
        Operation = scenario.Operation,
        EndedAt = DateTimeOffset.UtcNow,
        Parameters = parameters,
        Machine = MachineReport.OfThis(),
        Result = result,
        Thresholds = [.. verdicts.Select(ThresholdReport.Of)],
    };
}

/// <summary>Where a run took place.</summary>
internal sealed record MachineReport(int Cores, string OperatingSystem, string Architecture, string Runtime, bool IsServerGarbageCollection, string CacheEngine)
{
    public static MachineReport OfThis() => new(
        Environment.ProcessorCount,
        RuntimeInformation.OSDescription,
        RuntimeInformation.ProcessArchitecture.ToString(),
        RuntimeInformation.FrameworkDescription,
        System.Runtime.GCSettings.IsServerGC,
        typeof(CoherentCache).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");
}

/// <summary>A threshold as it is written down.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Metric">The same as data.</param>
/// <param name="Step">Whose latency; null for all operations together.</param>
/// <param name="Limit">What it may not pass; latencies in milliseconds.</param>
/// <param name="Actual">What was found; null if nothing was.</param>
/// <param name="IsPassed">Whether it held.</param>
/// <param name="Reason">Why the limit is where it is.</param>
internal sealed record ThresholdReport(string Name, LoadMetric Metric, string? Step, double Limit, double? Actual, bool IsPassed, string Reason)
{
    public static ThresholdReport Of(ThresholdVerdict verdict) => new(
        verdict.Threshold.Name,
        verdict.Threshold.Metric,
        verdict.Threshold.Step,
        verdict.Threshold.Limit,
        double.IsNaN(verdict.Actual) ? null : verdict.Actual,
        verdict.IsPassed,
        verdict.Threshold.Reason);
}
