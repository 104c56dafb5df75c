using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>
/// What a node has written and the authority may not have: open while writes go into it, sealed when its flush starts, and from then on the same for ever.
/// Pooled; rented when its object turns dirty, so that nothing is allocated in order to flush.
/// </summary>
/// <remarks>Guarded by its inode's gate, except its place in the <see cref="FlushLedger"/>. It is its own entry in the outbox.</remarks>
internal sealed class FlushRecord : OutboxEntry
{
    public Inode Inode { get; set; } = null!;

    /// <summary>Given when it is sealed.</summary>
    public FlushTid Tid { get; set; }

    /// <summary>The bits that it carries.</summary>
    public CapSet Bits { get; set; }

    /// <summary>Changed under the inode's gate and the ledger's, so that either is enough to read it.</summary>
    public FlushPhase Phase { get; set; }

    /// <summary>The grant that it was written under.</summary>
    public CapId Cap { get; set; }

    /// <summary>The version before its first write, or the end of that one.</summary>
    public long BaseVersion { get; set; }

    /// <summary>The version of its last write.</summary>
    public long Version { get; set; }

    public Payload Payload { get; set; }

    /// <summary>The value's size in bytes; zero: not known.</summary>
    public long Size { get; set; }

    /// <summary>When the value ends, in engine milliseconds.</summary>
    public long ExpiresAt { get; set; }

    /// <summary>Engine milliseconds of its first write; later writes do not put off its flush.</summary>
    public long DirtiedAt { get; set; }

    /// <summary>Whether somebody waits for it alone.</summary>
    public bool IsUrgent { get; set; }

    /// <summary>Callers that wait until it is durable or lost.</summary>
    public OperationList Waiters;

    /// <summary>The next younger record of the inode.</summary>
    public FlushRecord? NextInInode { get; set; }

    /// <summary>How often the outbox holds this object: it must not be rented again before that is zero.</summary>
    public int InOutbox { get; set; }

    /// <summary>Guarded by the ledger's gate.</summary>
    public FlushRecord? Next { get; set; }

    /// <summary>Guarded by the ledger's gate.</summary>
    public FlushRecord? Previous { get; set; }

    /// <summary>Whether it has come to its end and only the outbox still holds it.</summary>
    public bool IsRetired { get; set; }

    public FlushLedger Ledger { get; }

    public FlushRecord(FlushLedger ledger) => Ledger = ledger;

    /// <inheritdoc/>
    public override bool TryBuild(in Sending sending, out ClientMessage message)
    {
        bool isSent = false;
        bool isFree;
        message = default;
        using (Inode.Hold hold = Inode.Enter())
        {
            InOutbox--;
            if (Phase == FlushPhase.Sealed && sending.IsCurrent)
            {
                hold.BuildFlush(this, sending, out message);
                isSent = true;
            }

            // One that finds its session gone is sent again when the next one is opened.
            isFree = IsRetired && InOutbox == 0;
        }

        if (isFree)
        {
            Ledger.Return(this);
        }

        return isSent;
    }

    /// <inheritdoc/>
    protected internal override void OnQueued() => InOutbox++;

    /// <summary>Comes to its end. Called under the inode's gate, after it has left the inode's list.</summary>
    /// <param name="phase">Durable or lost.</param>
    /// <param name="done">Receives its waiters, and those who waited for it and others.</param>
    /// <param name="lost">Receives the record if it is lost; then it is left to the collector. Another goes back to the ledger, as soon as the outbox has let go of
    /// it, and is not to be touched any more.</param>
    public void Retire(FlushPhase phase, ref OperationList done, ref FlushList lost)
    {
        while (Waiters.TakeFirst() is { } waiter)
        {
            waiter.End(new OperationResult(OperationStatus.Written), ref done);
        }

        IsRetired = phase == FlushPhase.Durable && InOutbox > 0;
        Ledger.Retire(this, phase, isFree: phase == FlushPhase.Durable && InOutbox == 0, ref done);
        if (phase == FlushPhase.Lost)
        {
            lost.Add(this);
        }
    }

    /// <summary>Its value ends earlier by engine milliseconds than was thought, if it ends at all.</summary>
    public void EndSooner(long milliseconds) => ExpiresAt = ExpiresAt == long.MaxValue ? ExpiresAt : ExpiresAt - milliseconds;

    public void Clear()
    {
        Inode = null!;
        Tid = default;
        Phase = FlushPhase.Open;
        Payload = default;
        Waiters = default;
        NextInInode = null;
        Next = null;
        Previous = null;
        IsUrgent = false;
        IsRetired = false;
    }
}

/// <summary>The sealed records of one inode, oldest first.</summary>
internal struct FlushList
{
    private FlushRecord? _tail;

    public FlushRecord? Head { get; private set; }

    public readonly FlushRecord? Newest => _tail;

    public readonly bool IsEmpty => Head is null;

    public void Add(FlushRecord record)
    {
        record.NextInInode = null;
        if (_tail is null)
        {
            Head = record;
        }
        else
        {
            _tail.NextInInode = record;
        }

        _tail = record;
    }

    public FlushRecord? TakeFirst()
    {
        FlushRecord? first = Head;
        if (first is not null)
        {
            Head = first.NextInInode;
            _tail = Head is null ? null : _tail;
            first.NextInInode = null;
        }

        return first;
    }

    public FlushRecord? Remove(FlushTid tid)
    {
        FlushRecord? previous = null;
        for (FlushRecord? at = Head; at is not null; previous = at, at = at.NextInInode)
        {
            if (at.Tid != tid)
            {
                continue;
            }

            if (previous is null)
            {
                Head = at.NextInInode;
            }
            else
            {
                previous.NextInInode = at.NextInInode;
            }

            _tail = ReferenceEquals(_tail, at) ? previous : _tail;
            at.NextInInode = null;
            return at;
        }

        return null;
    }

    public readonly FlushRecord? Find(FlushTid tid)
    {
        FlushRecord? at = Head;
        while (at is not null && at.Tid != tid)
        {
            at = at.NextInInode;
        }

        return at;
    }
}
