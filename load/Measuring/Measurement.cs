using System.Collections.Concurrent;
using System.Diagnostics;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Measuring;

/// <summary>All that is counted while operations arrive and end. Thread-safe; read it when the run is over.</summary>
internal sealed class Measurement
{
    /// <summary>How many reasons are told apart: messages of exceptions may all differ.</summary>
    private const int MaxReasons = 32;

    private readonly ConcurrentDictionary<string, StepMeasurement> _steps = new();
    private readonly ConcurrentDictionary<string, long> _failures = new();
    private long _arrived;
    private long _shed;
    private long _begun;
    private long _lastEnd;

    public long ArrivedCount => Volatile.Read(ref _arrived);

    public long ShedCount => Volatile.Read(ref _shed);

    public long Unfinished { get; private set; }

    public IReadOnlyDictionary<string, StepMeasurement> Steps => _steps;

    /// <summary>How often operations failed, by reason.</summary>
    public IReadOnlyDictionary<string, long> Failures => _failures;

    /// <summary>From the beginning to the end of the last operation; zero if none has ended.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_begun, Math.Max(_begun, Volatile.Read(ref _lastEnd)));

    public void Begin(long timestamp) => _begun = timestamp;

    public void Arrived() => Interlocked.Increment(ref _arrived);

    public void Shed() => Interlocked.Increment(ref _shed);

    public void Ended(in OperationResult result, long intended, long started, long ended)
    {
        _steps.GetOrAdd(result.Step, static _ => new StepMeasurement()).Record(result.IsOk, intended, started, ended);
        if (result.Failure is { } reason)
        {
            bool isCounted = reason == OperationResult.StaleFailure || _failures.Count < MaxReasons || _failures.ContainsKey(reason);
            _failures.AddOrUpdate(isCounted ? reason : "other reasons", 1, static (_, count) => count + 1);
        }

        long last = Volatile.Read(ref _lastEnd);
        while (ended > last)
        {
            long found = Interlocked.CompareExchange(ref _lastEnd, ended, last);
            last = found == last ? ended : found;
        }
    }

    public void End(int unfinished) => Unfinished = unfinished;
}
