using System.Diagnostics;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Arrivals;

/// <summary>
/// Begins operations when the clock says so, never waiting for one to end: users do not stop to come because the system is slow.
/// </summary>
/// <remarks>
/// A thread of its own only watches the clock and hands each arrival on (one such thread paces far more than a hundred thousand a second). What
/// happens to an arrival after its intended start, a queue for a thread or a collection for instance, is latency: coordinated omission, where
/// a system that stalls also stalls its measurement, cannot hide it (Gil Tene, "How NOT to Measure Latency"). The number of operations under way
/// is bounded; an arrival beyond it is counted as shed.
/// </remarks>
internal sealed class OpenLoop(Func<long, ValueTask<OperationResult>> operate, int maxInFlight, Action<IThreadPoolWorkItem> dispatch)
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(2);

    private int _inFlight;

    /// <summary>Longer than an operation of the cache can take: after that, what has not ended never will.</summary>
    public TimeSpan DrainLimit { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Hands arrivals to the thread pool.</summary>
    public static void ToThreadPool(IThreadPoolWorkItem arrival) => ThreadPool.UnsafeQueueUserWorkItem(arrival, preferLocal: false);

    /// <summary>Brings all arrivals and waits for the operations to end.</summary>
    /// <param name="arrivals">When operations begin.</param>
    /// <param name="firstArrival">The number of the first one.</param>
    /// <param name="measurement">Where they are counted.</param>
    public async Task RunAsync(PoissonArrivals arrivals, long firstArrival, Measurement measurement)
    {
        var paced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                Pace(arrivals, firstArrival, measurement);
                paced.SetResult();
            }
            catch (Exception exception)
            {
                paced.SetException(exception);
            }
        })
        { IsBackground = true, Name = "pacer" };
        thread.Start();
        await paced.Task;

        long drainStart = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _inFlight) > 0 && Stopwatch.GetElapsedTime(drainStart) < DrainLimit)
        {
            await Task.Delay(DrainPoll);
        }

        measurement.End(unfinished: Volatile.Read(ref _inFlight));
    }

    /// <summary>Does the operation of an arrival.</summary>
    internal ValueTask<OperationResult> OperateAsync(long number) => operate(number);

    /// <summary>Takes the end of an arrival's operation in.</summary>
    internal void Leave() => Interlocked.Decrement(ref _inFlight);

    private void Pace(PoissonArrivals arrivals, long firstArrival, Measurement measurement)
    {
        long number = firstArrival;
        long start = Stopwatch.GetTimestamp();
        measurement.Begin(start);
        foreach (TimeSpan time in arrivals.Times())
        {
            long intended = start + (long)(time.TotalSeconds * Stopwatch.Frequency);
            Pacer.WaitUntil(intended);
            measurement.Arrived();
            if (Interlocked.Increment(ref _inFlight) > maxInFlight)
            {
                Interlocked.Decrement(ref _inFlight);
                measurement.Shed();
            }
            else
            {
                dispatch(new Arrival(this, number, intended, measurement));
            }

            number++;
        }
    }
}
