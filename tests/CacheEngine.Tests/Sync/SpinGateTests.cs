using CacheEngine.Sync;

namespace CacheEngine.Tests.Sync;

public sealed class SpinGateTests
{
    private SpinGate _gate;

    [Fact]
    public void Enter_FreeGate_IsHeldUntilLeft()
    {
        Assert.False(_gate.IsHeld);
        _gate.Enter(LockLevel.Leaf);
        Assert.True(_gate.IsHeld);
        _gate.Leave(LockLevel.Leaf);
        Assert.False(_gate.IsHeld);
    }

    [Fact]
    public void Enter_HeldByAnotherThread_WaitsUntilItLeaves()
    {
        int entered = 0;
        _gate.Enter(LockLevel.Leaf);
        var other = new Thread(() =>
        {
            _gate.Enter(LockLevel.Leaf);
            Volatile.Write(ref entered, 1);
            _gate.Leave(LockLevel.Leaf);
        });
        other.Start();

        Assert.False(other.Join(50));
        Assert.Equal(0, Volatile.Read(ref entered));
        _gate.Leave(LockLevel.Leaf);
        Assert.True(other.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal(1, entered);
    }
}

public sealed class SpinGateLayout
{
    [Fact]
    public void SpinGate_IsFourBytes() => Assert.Equal(4, System.Runtime.CompilerServices.Unsafe.SizeOf<SpinGate>());
}

public sealed class SpinGateSoak
{
    private SpinGate _gate;
    private int _inside;
    private long _guarded;

    [Fact]
    public void Enter_EightThreadsOnFewCores_ExcludesAndProgresses()
    {
        const int Threads = 8;
        const int Entries = 60_000;
        Crew.Run(Threads, _ =>
        {
            for (int i = 0; i < Entries; i++)
            {
                _gate.Enter(LockLevel.Leaf);
                int others = _inside++;
                _guarded++;
                _inside--;
                _gate.Leave(LockLevel.Leaf);
                Assert.Equal(0, others);
            }
        });

        Assert.Equal((long)Threads * Entries, _guarded);
        Assert.False(_gate.IsHeld);
    }
}
