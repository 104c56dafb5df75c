using System.Collections.Concurrent;
using CacheEngine.Sync;

namespace CacheEngine.Tests.Sync;

/// <summary>Keeps what is scheduled until the test runs it: the pump's states one by one.</summary>
internal sealed class SteppedScheduler : PumpScheduler
{
    private readonly Queue<Pump> _scheduled = new();

    public int Waiting => _scheduled.Count;

    public override void Schedule(Pump pump) => _scheduled.Enqueue(pump);

    public void RunNext() => _scheduled.Dequeue().RunTurn();

    /// <summary>Runs turns until none is scheduled any more.</summary>
    /// <returns>True.</returns>
    public bool RunAll()
    {
        while (_scheduled.Count > 0)
        {
            RunNext();
        }

        return true;
    }
}

/// <summary>Every turn on the thread pool: as many interleavings as there can be.</summary>
internal sealed class PoolScheduler : PumpScheduler
{
    public override void Schedule(Pump pump) => ThreadPool.UnsafeQueueUserWorkItem(pump, preferLocal: false);
}

/// <summary>Does whatever the test says a step is.</summary>
internal sealed class StepPump(PumpScheduler scheduler, Func<StepPump, bool> step) : Pump(scheduler)
{
    public int Steps { get; private set; }

    public override bool TryRunOne()
    {
        Steps++;
        return step(this);
    }
}

/// <summary>Consumes numbers, and notices a second runner.</summary>
internal sealed class SumPump(PumpScheduler scheduler) : Pump(scheduler)
{
    private readonly ConcurrentQueue<int> _work = new();
    private int _runners;
    private int _consumed;
    private int _doubled;

    public int Consumed => Volatile.Read(ref _consumed);

    public int Doubled => Volatile.Read(ref _doubled);

    public void Give(int number) => _work.Enqueue(number);

    public override bool TryRunOne()
    {
        if (Interlocked.Increment(ref _runners) != 1)
        {
            Interlocked.Increment(ref _doubled);
        }

        bool any = _work.TryDequeue(out _);
        if (any)
        {
            // Not interlocked: two runners would lose a count as well.
            Volatile.Write(ref _consumed, _consumed + 1);
        }

        Interlocked.Decrement(ref _runners);
        return any;
    }
}
