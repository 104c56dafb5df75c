namespace CacheEngine.Sync;

/// <summary>
/// One step of a loop, run by whoever has a thread to spare, by at most one at a time.
/// </summary>
/// <remarks>
/// <see cref="Wake"/> after giving it work. States: idle, queued, running, running-and-woken. Waking a queued or woken pump changes nothing, so
/// any number of wakes collapses into one run; waking a running pump makes it run once more, so no wake is lost.
/// </remarks>
internal abstract class Pump : IThreadPoolWorkItem
{
    /// <summary>How many steps one turn takes before it queues up again behind other pumps.</summary>
    public const int StepsPerTurn = 64;

    private const int Idle = 0;
    private const int Queued = 1;
    private const int Running = 2;
    private const int RunningAndWoken = 3;

    private readonly PumpScheduler _scheduler;
    private int _state;

    protected Pump(PumpScheduler scheduler) => _scheduler = scheduler;

    /// <summary>Makes sure that the work given before this call is run, now or soon.</summary>
    public void Wake()
    {
        // Edge PUMP-1 (full fence; other ends: PUMP-2, PUMP-3): work queued before Wake is seen by the turn that the wake causes, or by the one that is
        // queued already. Without it the work could still be in this core's store buffer when that turn looks and goes idle.
        Interlocked.MemoryBarrier();
        while (true)
        {
            int state = Volatile.Read(ref _state);
            int next = state switch { Idle => Queued, Running => RunningAndWoken, _ => state };
            if (next == state)
            {
                return;
            }

            // Edge PUMP-4 (full fence; other ends: PUMP-2, PUMP-3): of the wake and the turn that ends, one sees the other.
            if (Interlocked.CompareExchange(ref _state, next, state) == state)
            {
                if (next == Queued)
                {
                    _scheduler.Schedule(this);
                }

                return;
            }
        }
    }

    /// <summary>Runs one turn; called by the scheduler only, once per schedule.</summary>
    public void RunTurn()
    {
        // Edge PUMP-2 (full fence; other ends: PUMP-1, PUMP-4): moved down, a step could look for work before the wake that found this pump queued had given it.
        Interlocked.Exchange(ref _state, Running);
        bool more = true;
        try
        {
            for (int step = 0; step < StepsPerTurn && more; step++)
            {
                more = TryRunOne();
            }
        }
        finally
        {
            // A step that throws leaves more set: the failure goes to whoever runs the turn, and the work behind it gets a turn of its own.
            // Edge PUMP-3 (full fence; other ends: PUMP-1, PUMP-4): a wake during the turn makes the exchange fail; a plain write of Idle would lose it.
            if (more || Interlocked.CompareExchange(ref _state, Idle, Running) != Running)
            {
                Interlocked.Exchange(ref _state, Queued);
                _scheduler.Schedule(this);
            }
        }
    }

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute() => _scheduler.RunOnPool(this);

    /// <summary>Does one bounded piece of work without blocking.</summary>
    /// <returns>False when there was nothing to do.</returns>
    public abstract bool TryRunOne();
}
