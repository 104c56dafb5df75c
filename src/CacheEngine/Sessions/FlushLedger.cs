using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>
/// Every flush record of an engine: the open ones in the order in which their objects turned dirty, the sealed ones in the order of their tids. The oldest
/// tid is the floor that every message tells.
/// </summary>
/// <remarks>Bound: as many open records as the options allow, one more for each thread that is just opening one, and one sealed record per object and flush under way. Entered under an inode's gate or under none.</remarks>
internal sealed class FlushLedger(int maxDirty)
{
    public const int MaxSpares = 4096;

    private SpinGate _gate;
    private List _open;
    private List _sealed;
    private OperationList _waiters;
    private FlushRecord? _free;
    private int _spares;
    private int _openCount;
    private int _sealedCount;
    private ulong _lastTid;
    private ulong _floor;
    private ulong _hurryThrough;
    private int _unhurried;
    private bool _hasLost;

    /// <summary>How many objects are dirty, and how many records wait for the authority.</summary>
    public (int Dirty, int Flushing) Count
    {
        get
        {
            _gate.Enter(LockLevel.Leaf);
            (int, int) count = (_openCount, _sealedCount);
            _gate.Leave(LockLevel.Leaf);
            return count;
        }
    }

    /// <summary>Whether some record was ever lost: then versions may have been seen that the authority does not know of.</summary>
    public bool HasLost
    {
        get
        {
            _gate.Enter(LockLevel.Leaf);
            bool hasLost = _hasLost;
            _gate.Leave(LockLevel.Leaf);
            return hasLost;
        }
    }

    /// <summary>The smallest tid that is not durable; zero: none.</summary>
    public FlushTid Floor =>
        // Edge FLOOR-2 (acquire; other ends: FLOOR-1, FLOOR-3): one that is told too low only makes the authority remember for longer.
        new(Volatile.Read(ref _floor));

    /// <summary>Lends a record; null when as many objects are dirty as may be.</summary>
    public FlushRecord? TryRent()
    {
        _gate.Enter(LockLevel.Leaf);
        bool isFull = _openCount >= maxDirty;
        FlushRecord? record = isFull ? null : _free;
        if (record is not null)
        {
            _free = record.Next;
            record.Next = null;
            _spares--;
        }

        _gate.Leave(LockLevel.Leaf);
        return isFull ? null : record ?? new FlushRecord(this);
    }

    /// <summary>Takes a record back that nothing refers to any more.</summary>
    public void Return(FlushRecord record)
    {
        _gate.Enter(LockLevel.Leaf);
        Keep(record);
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Lists an open record, the youngest.</summary>
    public void Open(FlushRecord record)
    {
        _gate.Enter(LockLevel.Leaf);
        _open.Add(record);
        _openCount++;
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Gives a record its tid, for ever.</summary>
    public void Seal(FlushRecord record)
    {
        _gate.Enter(LockLevel.Leaf);
        _open.Remove(record);
        _openCount--;
        record.Tid = new FlushTid(++_lastTid);
        record.Phase = FlushPhase.Sealed;
        _sealed.Add(record);
        _sealedCount++;
        if (_sealedCount == 1)
        {
            // Edge FLOOR-1 (release; other end: FLOOR-2): before the record can be sent; a message must not tell a floor above its own tid.
            Volatile.Write(ref _floor, record.Tid.Value);
        }

        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Notes that a record is sent; true if it is the last that somebody in a hurry waits for.</summary>
    public bool Sent(FlushRecord record)
    {
        _gate.Enter(LockLevel.Leaf);
        record.Phase = FlushPhase.Sent;
        bool isLast = record.Tid.Value <= _hurryThrough && --_unhurried == 0;
        _gate.Leave(LockLevel.Leaf);
        return isLast;
    }

    /// <summary>The authority has a record, and may still forget it.</summary>
    public void Applied(FlushRecord record)
    {
        _gate.Enter(LockLevel.Leaf);
        record.Phase = AckDecision.After(record.Phase, isDurable: false);
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>A record that was sent in a session that is lost is to be sent again.</summary>
    public void Unsent(FlushRecord record)
    {
        _gate.Enter(LockLevel.Leaf);
        if (record.Phase is FlushPhase.Sent or FlushPhase.Applied)
        {
            record.Phase = FlushPhase.Sealed;
            _unhurried += record.Tid.Value <= _hurryThrough ? 1 : 0;
        }

        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Takes out a sealed record that is durable or lost.</summary>
    /// <param name="record">The record.</param>
    /// <param name="phase">Which of the two.</param>
    /// <param name="isFree">Whether nothing refers to it any more, so that it can be lent again.</param>
    /// <param name="done">Receives the callers who waited for it and all before it.</param>
    public void Retire(FlushRecord record, FlushPhase phase, bool isFree, ref OperationList done)
    {
        _gate.Enter(LockLevel.Leaf);
        if (record.Phase == FlushPhase.Sealed && record.Tid.Value <= _hurryThrough)
        {
            _unhurried--;
        }

        _sealed.Remove(record);
        _sealedCount--;
        record.Phase = phase;
        _hasLost |= phase == FlushPhase.Lost;
        if (isFree)
        {
            Keep(record);
        }

        ulong floor = _sealed.First?.Tid.Value ?? 0;

        // Edge FLOOR-3 (release; other end: FLOOR-2): behind the end of every record below it.
        Volatile.Write(ref _floor, floor);
        // In the order of their tids, since each waits for the youngest of its moment. Bound: the callers who wait for everything.
        while (!_waiters.IsEmpty && (floor == 0 || _waiters.First.FlushThrough.Value < floor))
        {
            _waiters.TakeFirst()!.End(new OperationResult(OperationStatus.Written), ref done);
        }

        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Lists a caller who waits for every record up to the youngest of now; false when there is none.</summary>
    public bool TryAwaitAll(Operation operation)
    {
        _gate.Enter(LockLevel.Leaf);
        bool waits = _sealedCount > 0;
        if (waits)
        {
            operation.FlushThrough = new FlushTid(_lastTid);
            operation.IsListed = true;
            _waiters.Add(operation);
        }

        _gate.Leave(LockLevel.Leaf);
        return waits;
    }

    /// <summary>Takes a waiting caller out, by ticket.</summary>
    public void EndWaiter(long ticket, OperationStatus status, ref OperationList done)
    {
        _gate.Enter(LockLevel.Leaf);
        _waiters.Remove(ticket)?.End(new OperationResult(status), ref done);
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Somebody waits for all records up to now: the last of them that is sent will say so.</summary>
    /// <returns>Whether all of them have been sent already, so that it must be said by itself.</returns>
    public bool Hurry()
    {
        _gate.Enter(LockLevel.Leaf);
        _hurryThrough = _lastTid;
        _unhurried = 0;
        for (FlushRecord? at = _sealed.First; at is not null; at = at.Next)
        {
            _unhurried += at.Phase == FlushPhase.Sealed ? 1 : 0;
        }

        bool allSent = _sealedCount > 0 && _unhurried == 0;
        _gate.Leave(LockLevel.Leaf);
        return allSent;
    }

    /// <summary>The oldest dirty object if it has been dirty for so long.</summary>
    public Inode? FirstDue(long dirtiedBefore)
    {
        _gate.Enter(LockLevel.Leaf);
        Inode? inode = _open.First is { } first && first.DirtiedAt <= dirtiedBefore ? first.Inode : null;
        _gate.Leave(LockLevel.Leaf);
        return inode;
    }

    /// <summary>The dirty objects of this moment, oldest first.</summary>
    public List<Inode> SnapshotDirty()
    {
        // Allocated before the gate is entered; what is dirtied meanwhile came after.
        var inodes = new List<Inode>(Count.Dirty);
        _gate.Enter(LockLevel.Leaf);
        for (FlushRecord? at = _open.First; at is not null && inodes.Count < inodes.Capacity; at = at.Next)
        {
            inodes.Add(at.Inode);
        }

        _gate.Leave(LockLevel.Leaf);
        return inodes;
    }

    /// <summary>The sealed records of this moment, by name, in tid order.</summary>
    public List<(Inode Inode, FlushTid Tid)> SnapshotSealed()
    {
        // Allocated before the gate is entered; what is sealed meanwhile is in the outbox.
        var records = new List<(Inode, FlushTid)>(Count.Flushing);
        _gate.Enter(LockLevel.Leaf);
        for (FlushRecord? at = _sealed.First; at is not null && records.Count < records.Capacity; at = at.Next)
        {
            records.Add((at.Inode, at.Tid));
        }

        _gate.Leave(LockLevel.Leaf);
        return records;
    }

    private void Keep(FlushRecord record)
    {
        record.Clear();
        if (_spares < MaxSpares)
        {
            record.Next = _free;
            _free = record;
            _spares++;
        }
    }

    /// <summary>A doubly linked list through the records.</summary>
    private struct List
    {
        private FlushRecord? _last;

        public FlushRecord? First { get; private set; }

        public void Add(FlushRecord record)
        {
            record.Previous = _last;
            record.Next = null;
            if (_last is null)
            {
                First = record;
            }
            else
            {
                _last.Next = record;
            }

            _last = record;
        }

        public void Remove(FlushRecord record)
        {
            if (record.Previous is null)
            {
                First = record.Next;
            }
            else
            {
                record.Previous.Next = record.Next;
            }

            if (record.Next is null)
            {
                _last = record.Previous;
            }
            else
            {
                record.Next.Previous = record.Previous;
            }

            record.Next = null;
            record.Previous = null;
        }
    }
}
