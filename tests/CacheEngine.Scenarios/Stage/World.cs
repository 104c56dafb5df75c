using CacheEngine.Sync;
using CacheEngine.Tests;

namespace CacheEngine.Scenarios.Stage;

/// <summary>
/// One thread, one queue in order of arrival, one clock moved by hand: a transcript plays the same way every time.
/// </summary>
/// <remarks>Continuations come through the synchronization context, pumps through the scheduler, timers through the clock. A seed that chooses what runs next
/// belongs to the simulation; here the script chooses, by what it holds back and lets go.</remarks>
internal sealed class World : SynchronizationContext
{
    private const int MaxStepsUntilQuiet = 100_000;

    private readonly Queue<(SendOrPostCallback Work, object? State)> _ready = new();
    private readonly Thread _thread = Thread.CurrentThread;

    public World() => Pumps = new PumpQueue(this);

    public ManualTimeProvider Time { get; } = new();

    public PumpScheduler Pumps { get; }

    /// <summary>What is looked at after every piece of work.</summary>
    public Action? AfterEach { get; set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Thread.CurrentThread != _thread)
        {
            throw new InvalidOperationException("Something escaped: work was posted from another thread.");
        }

        _ready.Enqueue((d, state));
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing waits synchronously.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs until nothing can run before time passes.</summary>
    public void RunUntilQuiet()
    {
        for (int step = 0; _ready.TryDequeue(out (SendOrPostCallback Work, object? State) next); step++)
        {
            if (step == MaxStepsUntilQuiet)
            {
                throw new InvalidOperationException($"Still not quiet after {MaxStepsUntilQuiet} steps.");
            }

            next.Work(next.State);
            AfterEach?.Invoke();
        }
    }

    /// <summary>Moves the clock a millisecond at a time; whatever a timer starts is over before the next millisecond.</summary>
    public void Advance(long milliseconds)
    {
        RunUntilQuiet();
        for (long passed = 0; passed < milliseconds; passed++)
        {
            Time.Advance(1);
            RunUntilQuiet();
        }
    }

    private sealed class PumpQueue(World world) : PumpScheduler
    {
        public override void Schedule(Pump pump) => world.Post(static state => ((Pump)state!).RunTurn(), pump);
    }
}
