using System.Runtime.ExceptionServices;
using CacheEngine.Sync;

namespace CacheEngine.Simulation;

/// <summary>
/// One thread, one seeded queue of what could run next, one virtual clock: everything that happens in a run is decided here.
/// </summary>
/// <remarks>
/// Continuations come through the synchronization context, pumps through the scheduler, timers through the time providers of the nodes. When nothing
/// can run, time jumps to the next timer. Each choice goes into a hash, so that two runs of a seed can be compared.
/// </remarks>
internal sealed class World : SynchronizationContext
{
    private readonly List<(SendOrPostCallback Work, object? State, long Number)> _ready = [];
    private readonly PriorityQueue<VirtualTimer, (long Due, long Number)> _timers = new();
    private readonly Thread _thread = Thread.CurrentThread;
    private long _lastNumber;

    public World(ulong seed)
    {
        Random = new Random(unchecked((int)(seed ^ (seed >> 32))));
        Pumps = new PumpQueue(this);
    }

    public Random Random { get; }

    public PumpScheduler Pumps { get; }

    /// <summary>Virtual microseconds since the start.</summary>
    public long Now { get; private set; }

    public long Steps { get; private set; }

    /// <summary>Of every choice made so far.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>The last stamp that was taken.</summary>
    public long LastStamp => _lastNumber;

    /// <summary>A fresh stamp of the run's only order of events.</summary>
    public long NextStamp() => ++_lastNumber;

    public void Mix(long value) => Hash = unchecked((Hash ^ (ulong)value) * 1099511628211);

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Thread.CurrentThread != _thread)
        {
            throw new InvalidOperationException("Something escaped: work was posted from another thread.");
        }

        _ready.Add((d, state, ++_lastNumber));
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing waits synchronously.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs one piece of work, or moves the clock to the next timer.</summary>
    /// <returns>False when there is neither, or the next timer is past <paramref name="until"/>.</returns>
    public bool TryStep(long until)
    {
        if (_ready.Count > 0)
        {
            int chosen = Random.Next(_ready.Count);
            (SendOrPostCallback work, object? state, long number) = _ready[chosen];
            _ready.RemoveAt(chosen);
            Steps++;
            Mix(number);
            work(state);
            return true;
        }

        while (_timers.TryPeek(out VirtualTimer? timer, out (long Due, long Number) at))
        {
            if (at.Due > until)
            {
                return false;
            }

            _timers.Dequeue();
            if (timer.IsCurrent(at.Number))
            {
                Now = Math.Max(Now, at.Due);
                Steps++;
                Mix(Now);
                timer.Fire();
                return true;
            }
        }

        return false;
    }

    public long AddTimer(VirtualTimer timer, long due)
    {
        long number = ++_lastNumber;
        _timers.Enqueue(timer, (due, number));
        return number;
    }

    /// <summary>Runs until the task ends or the virtual time is over.</summary>
    public bool RunUntil(Task task, long until)
    {
        while (!task.IsCompleted && TryStep(until))
        {
        }

        if (task.IsFaulted)
        {
            ExceptionDispatchInfo.Throw(task.Exception!.InnerException!);
        }

        return task.IsCompleted;
    }

    private sealed class PumpQueue(World world) : PumpScheduler
    {
        public override void Schedule(Pump pump) => world.Post(static state => ((Pump)state!).RunTurn(), pump);
    }
}
