namespace CacheEngine.Simulation;

/// <summary>One machine's clock: the world's time at a rate of its own, from an origin of its own.</summary>
/// <param name="world">The world.</param>
/// <param name="rate">Local seconds per virtual second.</param>
/// <param name="originMicroseconds">What the clock showed when the world began.</param>
internal sealed class VirtualTime(World world, double rate, long originMicroseconds) : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => originMicroseconds + (long)(world.Now * rate);

    public override DateTimeOffset GetUtcNow() => Epoch + TimeSpan.FromMicroseconds(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(world, rate, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }
}

/// <summary>A timer of the virtual clock: an entry of the world's queue.</summary>
internal sealed class VirtualTimer(World world, double rate, TimerCallback callback, object? state) : ITimer
{
    private long _number;
    private TimeSpan _period;

    public bool IsCurrent(long number) => number == _number;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        _period = period;
        _number = 0;
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            // A timer fires at its time or a little later, never before: round up.
            _number = world.AddTimer(this, world.Now + (long)Math.Ceiling(dueTime.TotalMicroseconds / rate));
        }

        return true;
    }

    public void Fire()
    {
        _number = 0;
        if (_period != Timeout.InfiniteTimeSpan && _period > TimeSpan.Zero)
        {
            Change(_period, _period);
        }

        callback(state);
    }

    public void Dispose() => _number = 0;

    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }
}
