using CacheEngine.Sync;

namespace CacheEngine.Tests.Sync;

public sealed class EngineClockTests
{
    [Fact]
    public void Now_SystemProvider_IsTheTickCount()
    {
        var clock = new EngineClock(TimeProvider.System);
        long before = Environment.TickCount64;
        long now = clock.Now;
        Assert.InRange(now, before, Environment.TickCount64);
    }

    [Fact]
    public void Now_OtherProvider_IsItsTimestampInMilliseconds()
    {
        var time = new ManualTimeProvider(5_000);
        var clock = new EngineClock(time);
        Assert.Equal(5_000, clock.Now);
        time.Advance(17);
        Assert.Equal(5_017, clock.Now);
        Assert.Same(time, clock.Provider);
    }

    [Fact]
    public void Now_YearsOfNanoseconds_DoesNotOverflow()
    {
        var clock = new EngineClock(new FixedTimestamp(long.MaxValue, 1_000_000_000));
        Assert.Equal(long.MaxValue / 1_000_000, clock.Now);
    }

    [Fact]
    public void Now_FrequencyBelowMilliseconds_IsScaledUp() => Assert.Equal(4_666, new EngineClock(new FixedTimestamp(14, 3)).Now);

    [Fact]
    public void WallNow_WallSetForward_MonotonicStays()
    {
        var time = new ManualTimeProvider(5_000);
        var clock = new EngineClock(time);
        long wall = clock.WallNow;
        time.AdvanceWall(TimeSpan.FromHours(2));
        Assert.Equal(7_200_000, clock.WallNow - wall);
        Assert.Equal(5_000, clock.Now);
    }

    private sealed class FixedTimestamp(long timestamp, long frequency) : TimeProvider
    {
        public override long TimestampFrequency => frequency;

        public override long GetTimestamp() => timestamp;
    }
}
