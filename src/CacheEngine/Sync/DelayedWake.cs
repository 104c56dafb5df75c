namespace CacheEngine.Sync;

/// <summary>Wakes somebody at a time: at once when it has come, else by one timer armed for the earliest time asked for.</summary>
internal sealed class DelayedWake : IDisposable
{
    private const long MaxDelayMilliseconds = 24 * 60 * 60 * 1000;

    private readonly EngineClock _clock;
    private readonly Action _wake;
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _armedFor = long.MaxValue;
    private bool _isDisposed;

    public DelayedWake(EngineClock clock, Action wake)
    {
        _clock = clock;
        _wake = wake;
    }

    /// <summary>Wakes at <paramref name="due"/> or a little later. Call with no gate held.</summary>
    public void At(long due)
    {
        long now = _clock.Now;
        if (due <= now)
        {
            _wake();
            return;
        }

        if (due == long.MaxValue)
        {
            return;
        }

        lock (_lock)
        {
            if (_isDisposed || _armedFor <= due)
            {
                return;
            }

            // A timer takes no more than about 49 days; whoever is woken early looks and asks again.
            long delay = Math.Min(due - now, MaxDelayMilliseconds);
            _armedFor = due;
            _timer ??= _clock.Provider.CreateTimer(static state => ((DelayedWake)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(TimeSpan.FromMilliseconds(delay), Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _timer?.Dispose();
        }
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            _armedFor = long.MaxValue;
        }

        _wake();
    }
}
