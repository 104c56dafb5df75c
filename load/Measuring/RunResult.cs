using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Measuring;

/// <summary>What a run did, before anything is judged.</summary>
internal sealed record RunResult
{
    /// <summary>How long operations arrived.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>How long it took to bring all to an end: as long as operations arrived, or longer if one ended later.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Operations that the clock brought.</summary>
    public required long Arrived { get; init; }

    public required long Shed { get; init; }

    /// <summary>Operations that did not end, though they were given the time.</summary>
    public required long Unfinished { get; init; }

    /// <summary>Failures by reason; those of the warm-up count too.</summary>
    public required IReadOnlyDictionary<string, long> Failures { get; init; }

    public required IReadOnlyList<StepResult> Steps { get; init; }

    /// <summary>All steps as one.</summary>
    public required StepResult All { get; init; }

    public required WorkloadFigures Figures { get; init; }

    public required ProcessFigures Process { get; init; }

    public long Stale => Failures.GetValueOrDefault(OperationResult.StaleFailure);

    /// <summary>Failures other than stale reads.</summary>
    public long Failed => Failures.Values.Sum() - Stale;

    public double ArrivedPerSecond => Arrived / Duration.TotalSeconds;

    public double EndedPerSecond => All.Count / Elapsed.TotalSeconds;

    /// <summary>What was brought to an end in a second, as a share of what came in one.</summary>
    public double AchievedShare => Arrived > 0 ? EndedPerSecond / ArrivedPerSecond : 0;

    /// <summary>Puts a measured run together.</summary>
    public static RunResult Of(TimeSpan duration, Measurement warmUp, Measurement measured, WorkloadFigures figures, ProcessFigures process)
    {
        var all = new StepMeasurement();
        foreach (StepMeasurement step in measured.Steps.Values)
        {
            all.Add(step);
        }

        return new RunResult
        {
            Duration = duration,
            Elapsed = measured.Elapsed > duration ? measured.Elapsed : duration,
            Arrived = measured.ArrivedCount,
            Shed = measured.ShedCount + warmUp.ShedCount,
            Unfinished = measured.Unfinished + warmUp.Unfinished,
            Failures = warmUp.Failures.Concat(measured.Failures).GroupBy(static failure => failure.Key)
                .ToDictionary(static reason => reason.Key, static reason => reason.Sum(static failure => failure.Value)),
            Steps = [.. measured.Steps.OrderByDescending(static step => step.Value.Latency.Count).Select(static step => StepResult.Of(step.Key, step.Value))],
            All = StepResult.Of("all", all),
            Figures = figures,
            Process = process,
        };
    }
}

/// <summary>What one kind of operation took.</summary>
internal sealed record StepResult(string Name, long Count, long Failed, LatencySummary Latency, LatencySummary Service)
{
    public static StepResult Of(string name, StepMeasurement measured) => new(
        name, measured.Latency.Count, measured.Failed, LatencySummary.Of(measured.Latency), LatencySummary.Of(measured.Service));
}
