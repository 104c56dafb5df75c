namespace SourceOfTruth;

/// <summary>
/// A node's clock whose timers can be held back: what a node looks like from outside while its process is not scheduled. It renews no lease and
/// times nothing out. Time itself goes on, as it does on a paused machine.
/// </summary>
internal sealed class PausableTimeProvider : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<Action> _heldBack = [];
    private bool _isPaused;

    public void Pause()
    {
        lock (_lock)
        {
            _isPaused = true;
        }
    }

    /// <summary>Runs what has been held back, each timer once.</summary>
    public void Resume()
    {
        Action[] due;
        lock (_lock)
        {
            _isPaused = false;
            due = [.. _heldBack.Distinct()];
            _heldBack.Clear();
        }

        foreach (Action callback in due)
        {
            callback();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Action run = () => callback(state);
        return System.CreateTimer(_ => RunOrHoldBack(run), null, dueTime, period);
    }

    private void RunOrHoldBack(Action callback)
    {
        lock (_lock)
        {
            if (_isPaused)
            {
                _heldBack.Add(callback);
                return;
            }
        }

        callback();
    }
}
