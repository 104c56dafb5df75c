using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;

namespace CacheEngine.Sessions;

/// <summary>
/// What a new session begins with, before anything else is sent in it: the records whose right was given back before the old one ended, then a claim for every
/// right that is still worth having, the word that this was all, and the other records.
/// </summary>
/// <remarks>
/// <para>The order is CephFS's. A record whose right has been given back must come before any claim: the claims let others go on, and their newer value must not be
/// overwritten. The others come after, under the right that was claimed. Records keep their tids.</para>
/// <para>Run by the outbound pump, one message a turn, so that a large cache does not hold up its own renewals. Bound: the sealed records and the inodes with rights
/// at the moment when the session was lost.</para>
/// </remarks>
internal sealed class Recovery(FlushLedger flushes)
{
    private readonly Lock _lock = new();
    private readonly HashSet<Inode> _claimable = [];
    private readonly Queue<(Inode Inode, FlushTid Tid)> _early = new();
    private readonly Queue<Inode> _claims = new();
    private readonly Queue<(Inode Inode, FlushTid Tid)> _late = new();
    private bool _isDoneDue;

    /// <summary>Whether messages of the recovery are still to be sent. Read by the outbound pump only.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>Notes an inode with something to claim. Called while a session is being lost, by whoever loses it.</summary>
    public void Add(Inode inode)
    {
        lock (_lock)
        {
            _claimable.Add(inode);
        }
    }

    /// <summary>Begins anew, for a session just taken into use. Called by the outbound pump only.</summary>
    public void Begin()
    {
        _early.Clear();
        _late.Clear();
        lock (_lock)
        {
            // The session before may have been lost before it had begun here: what was to be claimed in it is still to be claimed.
            _claimable.UnionWith(_claims);
            _claims.Clear();
            foreach (Inode inode in _claimable)
            {
                _claims.Enqueue(inode);
            }

            _claimable.Clear();
        }

        foreach ((Inode Inode, FlushTid Tid) record in flushes.SnapshotSealed())
        {
            _early.Enqueue(record);
            _late.Enqueue(record);
        }

        _isDoneDue = true;
        IsUnderWay = true;
    }

    /// <summary>Takes one step. Called by the outbound pump only.</summary>
    /// <returns>Whether there is a message to send.</returns>
    public bool TryRunOne(in Sending sending, out ClientMessage message)
    {
        if (_early.TryDequeue(out (Inode Inode, FlushTid Tid) early))
        {
            using Inode.Hold hold = early.Inode.Enter();
            return hold.TryResend(early.Tid, isEarly: true, sending, out message);
        }

        if (_claims.TryPeek(out Inode? claimed))
        {
            using Inode.Hold hold = claimed.Enter();
            if (hold.TryResendBeforeClaim(sending, out message))
            {
                return true;
            }

            _claims.Dequeue();
            return hold.TryClaim(sending, out message);
        }

        if (_isDoneDue)
        {
            _isDoneDue = false;
            message = new ClientMessage { Kind = ClientMessageKind.ClaimsDone, IsClean = !flushes.HasLost };
            return sending.IsCurrent;
        }

        if (_late.TryDequeue(out (Inode Inode, FlushTid Tid) late))
        {
            using Inode.Hold hold = late.Inode.Enter();
            return hold.TryResend(late.Tid, isEarly: false, sending, out message);
        }

        IsUnderWay = false;
        message = default;
        return false;
    }
}
