using System.Diagnostics;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Arrivals;

/// <summary>One operation, from its intended start to its end.</summary>
internal sealed class Arrival(OpenLoop loop, long number, long intended, Measurement measurement) : IThreadPoolWorkItem
{
    /// <summary>The step of an operation that did not say what it was.</summary>
    public const string UnknownStep = "unknown";

    public void Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        long started = Stopwatch.GetTimestamp();
        OperationResult result;
        try
        {
            result = await loop.OperateAsync(number);
        }
        catch (Exception exception)
        {
            result = OperationResult.Failed(UnknownStep, $"{exception.GetType().Name}: {exception.Message}");
        }

        measurement.Ended(result, intended, started, Stopwatch.GetTimestamp());
        loop.Leave();
    }
}
