using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>
/// Every operation in flight, oldest first: what is waited for, since when, and until when.
/// </summary>
/// <remarks>All operations of an engine have the same bound, so the list is in order of deadline and a timeout looks only at its head.</remarks>
internal sealed class OperationLedger
{
    private readonly int _maxOperations;
    private SpinGate _gate;
    private Operation? _oldest;
    private Operation? _newest;
    private int _count;
    private long _lastTicket;

    public OperationLedger(int maxOperations) => _maxOperations = maxOperations;

    public int Count => Volatile.Read(ref _count);

    public long NextTicket() => Interlocked.Increment(ref _lastTicket);

    /// <summary>Enters an operation; false when the stated bound of operations in flight is reached.</summary>
    /// <remarks>A settlement always fits: there is one per right to change an object, and it frees others. So does a wait for all flushes, which a stop needs.</remarks>
    public bool TryAdd(Operation operation)
    {
        _gate.Enter(LockLevel.Operations);
        bool fits = _count < _maxOperations || operation.Kind is OperationKind.Settle or OperationKind.FlushAll;
        if (fits)
        {
            operation.PreviousInLedger = _newest;
            operation.NextInLedger = null;
            if (_newest is null)
            {
                _oldest = operation;
            }
            else
            {
                _newest.NextInLedger = operation;
            }

            _newest = operation;
            _count++;
        }

        _gate.Leave(LockLevel.Operations);
        return fits;
    }

    public void Remove(Operation operation)
    {
        _gate.Enter(LockLevel.Operations);
        if (operation.PreviousInLedger is null)
        {
            _oldest = operation.NextInLedger;
        }
        else
        {
            operation.PreviousInLedger.NextInLedger = operation.NextInLedger;
        }

        if (operation.NextInLedger is null)
        {
            _newest = operation.PreviousInLedger;
        }
        else
        {
            operation.NextInLedger.PreviousInLedger = operation.PreviousInLedger;
        }

        operation.NextInLedger = null;
        operation.PreviousInLedger = null;
        _count--;
        _gate.Leave(LockLevel.Operations);
    }

    /// <summary>The oldest operation's inode, ticket and deadline; what is named must be looked up again under the inode's gate.</summary>
    public bool TryPeekOldest(out Inodes.Inode? inode, out long ticket, out long deadline)
    {
        _gate.Enter(LockLevel.Operations);
        Operation? oldest = _oldest;
        inode = oldest?.Inode;
        ticket = oldest?.Ticket ?? 0;
        deadline = oldest?.Deadline ?? long.MaxValue;
        _gate.Leave(LockLevel.Operations);
        return oldest is not null;
    }

    /// <summary>The inodes with operations in flight, each at least once, for a sweep after an event that concerns all of them.</summary>
    public List<Inodes.Inode> SnapshotInodes()
    {
        // Allocated before the gate is entered; what arrives meanwhile was submitted after the event and sees its effect.
        var inodes = new List<Inodes.Inode>(Count + 16);
        _gate.Enter(LockLevel.Operations);
        for (Operation? at = _oldest; at is not null && inodes.Count < inodes.Capacity; at = at.NextInLedger)
        {
            if (at.Inode is not null)
            {
                inodes.Add(at.Inode);
            }
        }

        _gate.Leave(LockLevel.Operations);
        return inodes;
    }
}
