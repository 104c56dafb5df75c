using System.Collections.Concurrent;
using CacheEngine.Load.Arrivals;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests.Arrivals;

public sealed class OpenLoopTests
{
    private const int Rate = 500;
    private const int Roomy = 10_000;
    private static readonly OperationResult Done = OperationResult.Ok("step");

    [Fact]
    public async Task Stall_ShowsInTheLatencyAndNotInTheServiceTime()
    {
        using var worker = new OneWorker();
        var loop = new OpenLoop(
            static number =>
            {
                if (number == 100)
                {
                    Thread.Sleep(300);
                }

                return ValueTask.FromResult(Done);
            },
            Roomy,
            worker.Add);
        StepMeasurement step = (await RunAsync(loop, seconds: 1)).Steps["step"];

        // All that arrived in those 300 ms of a second waited, the first ones nearly that long. Measured from its actual start, only one did.
        Assert.InRange(Milliseconds(step.Latency, 0.90), 100, 10_000);
        Assert.InRange(Milliseconds(step.Latency, 0.99), 200, 10_000);
        Assert.InRange(Milliseconds(step.Service, 0.90), 0, 50);
        Assert.InRange(Milliseconds(step.Service, 1), 300, 10_000);
    }

    [Fact]
    public async Task Arrivals_WaitForNobody()
    {
        var never = new TaskCompletionSource<OperationResult>();
        int begun = 0;
        var loop = new OpenLoop(
            _ =>
            {
                Interlocked.Increment(ref begun);
                return new ValueTask<OperationResult>(never.Task);
            },
            Roomy,
            AtOnce)
        { DrainLimit = TimeSpan.FromMilliseconds(20) };
        Measurement measured = await RunAsync(loop, seconds: 0.2);
        Assert.InRange(measured.ArrivedCount, 50, 150);
        Assert.Equal(measured.ArrivedCount, begun);
        Assert.Equal(measured.ArrivedCount, measured.Unfinished);
        Assert.Equal(0, measured.ShedCount);
    }

    [Fact]
    public async Task Arrivals_BeyondTheBound_AreCountedAsShed()
    {
        var end = new TaskCompletionSource<OperationResult>();
        var loop = new OpenLoop(_ => new ValueTask<OperationResult>(end.Task), maxInFlight: 10, AtOnce);
        Task<Measurement> run = RunAsync(loop, seconds: 0.2);
        await Task.Delay(400);
        end.SetResult(Done);
        Measurement measured = await run;
        Assert.Equal(10, measured.Steps["step"].Latency.Count);
        Assert.Equal(measured.ArrivedCount - 10, measured.ShedCount);
        Assert.Equal(0, measured.Unfinished);
    }

    [Fact]
    public async Task Operation_ThatThrows_IsAFailure()
    {
        var loop = new OpenLoop(static _ => throw new InvalidOperationException("no"), Roomy, AtOnce);
        Measurement measured = await RunAsync(loop, seconds: 0.1);
        Assert.True(measured.ArrivedCount > 0);
        Assert.Equal(measured.ArrivedCount, measured.Failures["InvalidOperationException: no"]);
        Assert.Equal(measured.ArrivedCount, measured.Steps[Arrival.UnknownStep].Failed);
    }

    [Fact]
    public async Task Numbers_AreUsedOnce()
    {
        var numbers = new ConcurrentBag<long>();
        var loop = new OpenLoop(
            number =>
            {
                numbers.Add(number);
                return ValueTask.FromResult(Done);
            },
            Roomy,
            AtOnce);
        Measurement measured = await RunAsync(loop, seconds: 0.2, firstArrival: 1_000);
        Assert.Equal(Enumerable.Range(1_000, (int)measured.ArrivedCount).Select(static number => (long)number), numbers.Order());
    }

    /// <summary>On the pacer's own thread: a busy thread pool has no say. Good for operations that return at once.</summary>
    private static void AtOnce(IThreadPoolWorkItem arrival) => arrival.Execute();

    private static async Task<Measurement> RunAsync(OpenLoop loop, double seconds, long firstArrival = 0)
    {
        var measurement = new Measurement();
        await loop.RunAsync(new PoissonArrivals(Rate, TimeSpan.FromSeconds(seconds), seed: 1), firstArrival, measurement);
        return measurement;
    }

    private static double Milliseconds(LatencyHistogram histogram, double share) => histogram.Percentile(share) / 1e6;
}
