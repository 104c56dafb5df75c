using System.Globalization;
using System.Text;
using CacheEngine.Load.Judging;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Reports;

/// <summary>A report for people.</summary>
internal static class MarkdownReport
{
    public static string Write(LoadReport report)
    {
        LoadParameters parameters = report.Parameters;
        MachineReport machine = report.Machine;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {report.Scenario}: {(report.IsPassed ? "passed" : "FAILED")}\n\n{report.Description}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- one operation: {report.Operation}\n");
        text.Append(CultureInfo.InvariantCulture, $"- {Units.Count(parameters.Rate)} operations a second for {parameters.Seconds} s on {parameters.Nodes} nodes, ");
        text.Append(CultureInfo.InvariantCulture, $"messages under way for {parameters.LatencyMilliseconds} ms, seed {parameters.Seed}\n");
        text.Append(CultureInfo.InvariantCulture, $"- ended {report.EndedAt:yyyy-MM-dd HH:mm:ss} UTC; CacheEngine {machine.CacheEngine}\n");
        text.Append(CultureInfo.InvariantCulture, $"- {machine.Cores} cores ({machine.Architecture}), {machine.OperatingSystem}, {machine.Runtime}, ");
        text.Append(machine.IsServerGarbageCollection ? "server" : "workstation").Append(" garbage collection\n\n");
        return text.Append(Summary(report)).ToString();
    }

    /// <summary>The tables alone; the console shows them too.</summary>
    public static string Summary(LoadReport report)
    {
        RunResult result = report.Result;
        var text = new StringBuilder();
        text.Append("## Latency, from the intended start\n\n").Append(Latencies(result, static step => step.Latency));
        text.Append("\n## Service time, from the actual start\n\n").Append(Latencies(result, static step => step.Service));
        text.Append("\n## Figures\n\n").Append(Figures(result));
        text.Append("\n## Thresholds\n\n").Append(Thresholds(report.Thresholds));
        foreach ((string reason, long count) in result.Failures)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nfailed, {Units.Count(count)} times: {reason}\n");
        }

        return text.ToString();
    }

    private static TextTable Latencies(RunResult result, Func<StepResult, LatencySummary> pick)
    {
        var table = new TextTable("step", "count", "per second", "p50", "p90", "p99", "p99.9", "max");
        foreach (StepResult step in result.Steps.Append(result.All))
        {
            LatencySummary latency = pick(step);
            table.Add([
                step.Name,
                Units.Count(step.Count),
                Units.Count(step.Count / result.Elapsed.TotalSeconds),
                .. ((TimeSpan[])[latency.P50, latency.P90, latency.P99, latency.P999, latency.Max]).Select(Units.Duration)]);
        }

        return table;
    }

    private static TextTable Figures(RunResult result)
    {
        (WorkloadFigures work, ProcessFigures process) = (result.Figures, result.Process);
        var table = new TextTable("what", "figure");
        table.Add("operations arrived", Units.Count(result.Arrived));
        table.Add("achieved share of the rate", Units.Share(result.AchievedShare));
        table.Add($"shed (beyond {Units.Count(LoadRun.MaxInFlight)} under way) / unfinished", $"{Units.Count(result.Shed)} / {Units.Count(result.Unfinished)}");
        table.Add("stale / failed otherwise", $"{Units.Count(result.Stale)} / {Units.Count(result.Failed)}");
        table.Add("lookups", Units.Count(work.Lookups));
        table.Add("lookups a second", Units.Count(work.Lookups / result.Elapsed.TotalSeconds));
        table.Add("hit ratio", Units.Ratio(work.Hits, work.Lookups));
        table.Add("writes", Units.Count(work.Writes));
        table.Add("factory runs", Units.Count(work.Loads));
        table.Add("revokes / questions", $"{Units.Count(work.Revokes)} / {Units.Count(work.Questions)}");
        table.Add("allocated per operation, load included", Units.Bytes((double)process.AllocatedBytes / Math.Max(1, result.All.Count)));
        table.Add("collections, generation 0 / 1 / 2", $"{process.Generation0} / {process.Generation1} / {process.Generation2}");
        table.Add("paused for them", Units.Duration(process.GarbagePause));
        table.Add("processor time, pacing included", Units.Duration(process.ProcessorTime));
        return table;
    }

    private static TextTable Thresholds(IReadOnlyList<ThresholdReport> thresholds)
    {
        var table = new TextTable("threshold", "verdict", "limit", "actual", "why") { Figures = 2..4 };
        foreach (ThresholdReport threshold in thresholds)
        {
            string limit = $"{(threshold.Metric == LoadMetric.AchievedShare ? "at least" : "at most")} {Value(threshold.Metric, threshold.Limit)}";
            string actual = threshold.Actual is { } found ? Value(threshold.Metric, found) : "not measured";
            table.Add(threshold.Name, threshold.IsPassed ? "pass" : "FAIL", limit, actual, threshold.Reason);
        }

        return table;
    }

    private static string Value(LoadMetric metric, double value) => metric switch
    {
        LoadMetric.AchievedShare => Units.Share(value),
        LoadMetric.P50 or LoadMetric.P99 or LoadMetric.P999 => Units.Duration(TimeSpan.FromMilliseconds(value)),
        _ => Units.Count(value),
    };
}
