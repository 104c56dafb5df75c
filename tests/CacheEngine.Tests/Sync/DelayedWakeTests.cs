using CacheEngine.Sync;

namespace CacheEngine.Tests.Sync;

public sealed class DelayedWakeTests : IDisposable
{
    private readonly ManualTimeProvider _time = new(1_000);
    private readonly List<long> _wokenAt = [];
    private readonly DelayedWake _wake;

    public DelayedWakeTests() => _wake = new DelayedWake(new EngineClock(_time), () => _wokenAt.Add(_time.Now));

    public void Dispose() => _wake.Dispose();

    [Theory]
    [InlineData(1_000)]
    [InlineData(999)]
    [InlineData(long.MinValue)]
    public void At_TimeHasCome_WakesAtOnceWithoutATimer(long due)
    {
        _wake.At(due);
        Assert.Equal([1_000], _wokenAt);
        Assert.Equal(0, _time.TimersMade);
    }

    [Fact]
    public void At_Later_WakesThenAndNotBefore()
    {
        _wake.At(1_050);
        _time.AdvanceTo(1_049);
        Assert.Empty(_wokenAt);
        _time.AdvanceTo(1_050);
        _time.AdvanceTo(9_000);
        Assert.Equal([1_050], _wokenAt);
    }

    [Fact]
    public void At_SeveralTimes_WakesAtTheEarliestByOneTimer()
    {
        _wake.At(1_100);
        _wake.At(1_050);
        _wake.At(1_070);
        _time.AdvanceTo(9_000);
        Assert.Equal([1_050], _wokenAt);
        Assert.Equal(1, _time.TimersMade);
    }

    [Fact]
    public void At_AgainAfterItWoke_WakesAgain()
    {
        _wake.At(1_050);
        _time.AdvanceTo(1_050);
        _wake.At(1_080);
        _time.AdvanceTo(9_000);
        Assert.Equal([1_050, 1_080], _wokenAt);
    }

    [Fact]
    public void At_FromInsideTheWake_IsNotForgotten()
    {
        DelayedWake? again = null;
        var woken = new List<long>();
        using var wake = again = new DelayedWake(new EngineClock(_time), () =>
        {
            woken.Add(_time.Now);
            if (woken.Count < 3)
            {
                again!.At(_time.Now + 10);
            }
        });
        wake.At(1_010);
        _time.AdvanceTo(9_000);
        Assert.Equal([1_010, 1_020, 1_030], woken);
    }

    [Fact]
    public void At_Never_ArmsNothing()
    {
        _wake.At(long.MaxValue);
        Assert.Equal(0, _time.TimersMade);
    }

    [Fact]
    public void Dispose_WhileArmed_NeverWakesAndArmsNothingMore()
    {
        _wake.At(1_050);
        _wake.Dispose();
        _wake.At(1_060);
        Assert.Equal(0, _time.TimersArmed);
        _time.AdvanceTo(9_000);
        Assert.Empty(_wokenAt);
    }
}
