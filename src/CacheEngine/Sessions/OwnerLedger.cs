using CacheEngine.Inodes;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>
/// Every right of this node to change an object that has not been settled: who might hold up others. Bound: one per inode with something going on.
/// </summary>
/// <remarks>An intrusive list: to be given a right and to give it back costs no timer and no allocation; the engine's tick looks who is held up.</remarks>
internal sealed class OwnerLedger
{
    private SpinGate _gate;
    private InodeActivity? _first;
    private int _count;

    public void Add(InodeActivity activity)
    {
        _gate.Enter(LockLevel.Leaf);
        activity.PreviousOwner = null;
        activity.NextOwner = _first;
        if (_first is not null)
        {
            _first.PreviousOwner = activity;
        }

        _first = activity;
        _count++;
        _gate.Leave(LockLevel.Leaf);
    }

    public void Remove(InodeActivity activity)
    {
        _gate.Enter(LockLevel.Leaf);
        if (activity.PreviousOwner is null)
        {
            _first = activity.NextOwner;
        }
        else
        {
            activity.PreviousOwner.NextOwner = activity.NextOwner;
        }

        if (activity.NextOwner is not null)
        {
            activity.NextOwner.PreviousOwner = activity.PreviousOwner;
        }

        activity.NextOwner = null;
        activity.PreviousOwner = null;
        _count--;
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>The inodes with an owner at this moment; each is to be looked at again under its gate. Of more than were expected, the rest is left to the
    /// next look.</summary>
    public List<Inode> SnapshotInodes()
    {
        // Allocated before the gate is entered.
        var inodes = new List<Inode>(Volatile.Read(ref _count));
        _gate.Enter(LockLevel.Leaf);
        for (InodeActivity? at = _first; at is not null && inodes.Count < inodes.Capacity; at = at.NextOwner)
        {
            inodes.Add(at.Inode!);
        }

        _gate.Leave(LockLevel.Leaf);
        return inodes;
    }
}
