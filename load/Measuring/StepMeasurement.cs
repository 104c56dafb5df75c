using System.Diagnostics;

namespace CacheEngine.Load.Measuring;

/// <summary>The latencies of one kind of operation, measured from two starts. Thread-safe.</summary>
internal sealed class StepMeasurement
{
    private const double NanosecondsPerSecond = 1e9;

    private long _failed;

    /// <summary>From the moment at which the operation was to begin: what a user waits.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>From the moment at which it did begin: what the cache takes.</summary>
    public LatencyHistogram Service { get; } = new();

    public long Failed => Volatile.Read(ref _failed);

    public void Record(bool isOk, long intended, long started, long ended)
    {
        Latency.Record(Nanoseconds(ended - intended));
        Service.Record(Nanoseconds(ended - started));
        if (!isOk)
        {
            Interlocked.Increment(ref _failed);
        }
    }

    /// <summary>Takes in what another one has measured.</summary>
    public void Add(StepMeasurement other)
    {
        Latency.Add(other.Latency);
        Service.Add(other.Service);
        _failed += other._failed;
    }

    private static long Nanoseconds(long ticks) => (long)(ticks * (NanosecondsPerSecond / Stopwatch.Frequency));
}
