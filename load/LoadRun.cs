using CacheEngine.Load.Arrivals;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load;

/// <summary>One run of one scenario: set up, warmed up, measured, closed.</summary>
internal static class LoadRun
{
    /// <summary>How many operations may be under way: more than arrive at any default rate while a lease of 5 s runs out.</summary>
    public const int MaxInFlight = 20_000;

    /// <summary>How long the load comes before it is measured: the runtime compiles what is often run a second time.</summary>
    public static TimeSpan WarmUp(TimeSpan duration) => TimeSpan.FromSeconds(Math.Clamp(duration.TotalSeconds / 5, 0.2, 3));

    public static async Task<RunResult> ExecuteAsync(LoadScenario scenario, LoadParameters parameters)
    {
        await using Workload workload = await scenario.SetUpAsync(parameters);
        var duration = TimeSpan.FromSeconds(parameters.Seconds);
        var loop = new OpenLoop(workload.OperateAsync, MaxInFlight, OpenLoop.ToThreadPool);

        // Failures of the warm-up count; its latencies do not.
        var warmUp = new Measurement();
        await loop.RunAsync(new PoissonArrivals(parameters.Rate, WarmUp(duration), ~parameters.Seed), firstArrival: 0, warmUp);

        // What setting up has left behind is not the run's.
        GC.Collect();
        var measured = new Measurement();
        WorkloadFigures figures = workload.Read();
        var process = ProcessFigures.Read();
        await loop.RunAsync(new PoissonArrivals(parameters.Rate, duration, parameters.Seed), firstArrival: warmUp.ArrivedCount, measured);
        process = ProcessFigures.Read().Since(process);
        return RunResult.Of(duration, warmUp, measured, workload.Read().Since(figures), process);
    }
}
