namespace CacheEngine.Sync;

/// <summary>Decides which thread runs a pump's turn.</summary>
internal abstract class PumpScheduler
{
    /// <summary>Queues one turn. Must not run it while the caller is inside a gate.</summary>
    public abstract void Schedule(Pump pump);

    /// <summary>Runs a turn that was handed to the thread pool.</summary>
    public virtual void RunOnPool(Pump pump) => pump.RunTurn();
}

/// <summary>
/// Runs pumps on the thread that woke them, so that a round trip inside one process costs no thread switch.
/// </summary>
/// <remarks>
/// A turn that wakes other pumps queues them behind itself on the same thread instead of nesting, so the stack stays flat. A caller's thread runs
/// at most <see cref="TurnsPerCaller"/> turns; what is left then goes to the thread pool, so no caller is held up without bound.
/// </remarks>
internal sealed class InlinePumpScheduler : PumpScheduler
{
    public const int TurnsPerCaller = 64;

    public static readonly InlinePumpScheduler Instance = new();

    [ThreadStatic]
    private static Queue<Pump>? t_queue;

    [ThreadStatic]
    private static bool t_draining;

    private InlinePumpScheduler()
    {
    }

    public override void Schedule(Pump pump)
    {
        Queue<Pump> queue = t_queue ??= new Queue<Pump>();
        queue.Enqueue(pump);
        if (!t_draining)
        {
            Drain(queue);
        }
    }

    /// <inheritdoc/>
    /// <remarks>A pool thread is a caller's thread like any other: what the turn wakes is run behind it, or handed on if the turn throws.</remarks>
    public override void RunOnPool(Pump pump) => Schedule(pump);

    private static void Drain(Queue<Pump> queue)
    {
        LockOrder.AssertNoneHeld();
        t_draining = true;
        try
        {
            for (int turn = 0; turn < TurnsPerCaller && queue.TryDequeue(out Pump? next); turn++)
            {
                next.RunTurn();
            }
        }
        finally
        {
            t_draining = false;
            while (queue.TryDequeue(out Pump? left))
            {
                ThreadPool.UnsafeQueueUserWorkItem(left, preferLocal: false);
            }
        }
    }
}
