using CacheEngine.Load.Judging;
using CacheEngine.Load.Scenarios;
using NBomber.Contracts;
using NBomber.CSharp;

namespace CacheEngine.Load.NBomber;

/// <summary>
/// One of our scenarios as NBomber knows it: set-up becomes init, an operation one iteration, its step or failure a status code, the rate an
/// injection, and the thresholds NBomber's own.
/// </summary>
/// <remarks>
/// It has no NBomber steps: whether an operation is a hit or a write is known at its end only. So thresholds of one step stay with our own runner;
/// p99.9, shed arrivals, refused messages and the achieved share do so too, because NBomber does not measure them.
/// </remarks>
internal sealed class HostedScenario(LoadScenario scenario)
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private Workload? _workload;
    private long _lastArrival;

    public ScenarioProps ToProps()
    {
        LoadParameters parameters = scenario.Defaults;
        double p50 = LimitOf(LoadMetric.P50);
        double p99 = LimitOf(LoadMetric.P99);
        return Scenario.Create(scenario.Name, OperateAsync)
            .WithInit(async _ => _workload = await scenario.SetUpAsync(parameters))
            .WithClean(async _ => await CloseAsync())
            .WithWarmUpDuration(WarmUp)
            .WithMaxFailCount(int.MaxValue)
            .WithRestartIterationOnFail(false)
            .WithLoadSimulations(Simulation.Inject(rate: parameters.Rate, interval: Second, during: parameters.Seconds * Second))
            .WithThresholds(
                Threshold.Create(stats => stats.Fail.Request.Count == 0),
                Threshold.Create(stats => stats.Ok.Latency.Percent50 <= p50),
                Threshold.Create(stats => stats.Ok.Latency.Percent99 <= p99));
    }

    /// <summary>In milliseconds, for all operations together.</summary>
    private double LimitOf(LoadMetric metric) =>
        scenario.Thresholds.FirstOrDefault(threshold => threshold.Metric == metric && threshold.Step is null)?.Limit ?? double.PositiveInfinity;

    private async Task<IResponse> OperateAsync(IScenarioContext context)
    {
        OperationResult result = await _workload!.OperateAsync(Interlocked.Increment(ref _lastArrival));
        return result.Failure is { } reason
            ? Response.Fail(statusCode: reason, message: result.Step)
            : Response.Ok(statusCode: result.Step);
    }

    private async Task CloseAsync()
    {
        if (_workload is { } workload)
        {
            _workload = null;
            await workload.DisposeAsync();
        }
    }
}
