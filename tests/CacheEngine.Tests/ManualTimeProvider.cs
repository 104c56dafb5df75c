namespace CacheEngine.Tests;

/// <summary>
/// A clock that moves only when told to: the monotonic one by <see cref="Advance"/>, which fires timers on the way, the wall one beside it.
/// </summary>
internal sealed class ManualTimeProvider(long startMilliseconds = 1_000) : TimeProvider
{
    private static DateTimeOffset Epoch { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _armed = [];
    private long _microseconds = startMilliseconds * 1_000;
    private TimeSpan _wallAhead;

    public override long TimestampFrequency => 1_000_000;

    /// <summary>Monotonic milliseconds.</summary>
    public long Now => GetTimestamp() / 1_000;

    /// <summary>How many timers have ever been made.</summary>
    public int TimersMade { get; private set; }

    /// <summary>How many timers are armed.</summary>
    public int TimersArmed
    {
        get
        {
            lock (_lock)
            {
                return _armed.Count;
            }
        }
    }

    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _microseconds;
        }
    }

    public override DateTimeOffset GetUtcNow() => Epoch + TimeSpan.FromMicroseconds(GetTimestamp()) + _wallAhead;

    /// <summary>Sets the wall clock forward or back, the monotonic one staying where it is.</summary>
    public void AdvanceWall(TimeSpan by) => _wallAhead += by;

    /// <summary>Moves both clocks to a monotonic time, firing every timer at its own time and in order.</summary>
    public void AdvanceTo(long milliseconds)
    {
        long end = milliseconds * 1_000;
        while (true)
        {
            ManualTimer? next;
            lock (_lock)
            {
                next = _armed.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                _microseconds = Math.Max(_microseconds, next?.Due ?? end);
                if (next is null)
                {
                    return;
                }

                Rearm(next, next.Period);
            }

            next.Fire();
        }
    }

    /// <inheritdoc cref="AdvanceTo"/>
    public void Advance(long milliseconds) => AdvanceTo(Now + milliseconds);

    /// <summary>Moves both clocks in steps of a quarter second, letting continuations on the pool run in between, until something is so.</summary>
    /// <param name="condition">What is waited for.</param>
    /// <param name="atMostMilliseconds">How far the clocks go; then there is real time left for what a busy machine has not got round to.</param>
    public async Task AdvanceUntilAsync(Func<bool> condition, long atMostMilliseconds)
    {
        for (long end = Now + atMostMilliseconds; Now < end && !condition(); Advance(250))
        {
            await Task.Delay(1);
        }

        for (int i = 0; i < 5_000 && !condition(); i++)
        {
            await Task.Delay(1);
        }

        Assert.True(condition(), $"did not happen within {atMostMilliseconds} ms");
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        lock (_lock)
        {
            TimersMade++;
        }

        timer.Change(dueTime, period);
        return timer;
    }

    private void Rearm(ManualTimer timer, TimeSpan dueTime)
    {
        _armed.Remove(timer);
        if (dueTime >= TimeSpan.Zero)
        {
            timer.Due = _microseconds + (long)Math.Ceiling(dueTime.TotalMicroseconds);
            _armed.Add(timer);
        }
    }

    private sealed class ManualTimer(ManualTimeProvider time, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                Period = period > TimeSpan.Zero ? period : Timeout.InfiniteTimeSpan;
                time.Rearm(this, dueTime);
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
