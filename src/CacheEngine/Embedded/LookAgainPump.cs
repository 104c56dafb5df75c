using CacheEngine.Inodes;
using CacheEngine.Sync;

namespace CacheEngine.Embedded;

/// <summary>
/// The records that wait for a silent holder's lease to run out, by time. Bound: one entry per blocked request at a time it was looked at.
/// </summary>
internal sealed class LookAgainPump : Pump, IDisposable
{
    private readonly EmbeddedAuthority _authority;
    private readonly PriorityQueue<InodeId, long> _due = new();
    private readonly HashSet<(InodeId Id, long At)> _listed = [];
    private readonly Lock _lock = new();
    private readonly DelayedWake _wake;

    public LookAgainPump(PumpScheduler scheduler, EmbeddedAuthority authority)
        : base(scheduler)
    {
        _authority = authority;
        _wake = new DelayedWake(authority.Clock, Wake);
    }

    /// <summary>Lists a record. Called with no gate held.</summary>
    public void Add(InodeId id, long at)
    {
        lock (_lock)
        {
            if (!_listed.Add((id, at)))
            {
                return;
            }

            _due.Enqueue(id, at);
        }

        _wake.At(at);
    }

    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        long next = long.MaxValue;
        InodeId id = default;
        lock (_lock)
        {
            if (_due.TryPeek(out id, out long at))
            {
                if (at <= _authority.Clock.Now)
                {
                    _due.Dequeue();
                    _listed.Remove((id, at));
                }
                else
                {
                    next = at;
                    id = default;
                }
            }
        }

        if (id.IsKnown)
        {
            _authority.LookAgain(id);
            return true;
        }

        if (next != long.MaxValue)
        {
            _wake.At(next);
        }

        return false;
    }

    public void Dispose() => _wake.Dispose();
}
