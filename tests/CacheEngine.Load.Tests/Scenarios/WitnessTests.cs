using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests.Scenarios;

public sealed class WitnessTests
{
    private readonly Witness _witness = new(keys: 2);

    [Fact]
    public void Read_CalledAfterAWriteWasAcknowledged_MustShowIt()
    {
        _witness.Saw(0, 5);
        Assert.False(_witness.Accepts(0, _witness.Floor(0), 4));
        Assert.True(_witness.Accepts(0, _witness.Floor(0), 5));
    }

    [Fact]
    public void Read_CalledBeforeAWriteWasAcknowledged_MayShowTheOldValue()
    {
        long floor = _witness.Floor(0);
        _witness.Saw(0, 5);
        Assert.True(_witness.Accepts(0, floor, 4));
        Assert.Equal(5, _witness.Floor(0));
    }

    [Fact]
    public void Read_CalledAfterAnotherReadWasAnswered_MustNotGoBack()
    {
        Assert.True(_witness.Accepts(0, _witness.Floor(0), 7));
        Assert.False(_witness.Accepts(0, _witness.Floor(0), 6));
    }

    [Fact]
    public void Keys_HaveNothingToDoWithEachOther()
    {
        _witness.Saw(0, 5);
        Assert.True(_witness.Accepts(1, _witness.Floor(1), 1));
    }

    [Fact]
    public void Floor_OnlyRises()
    {
        Parallel.For(1, 10_001, stamp => _witness.Saw(0, stamp));
        _witness.Saw(0, 3);
        Assert.Equal(10_000, _witness.Floor(0));
    }
}
