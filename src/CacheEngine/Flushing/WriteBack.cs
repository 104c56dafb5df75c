using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Flushing;

/// <summary>
/// Writes that this node keeps back: buffered while it holds an object alone, sealed and sent when they have waited long enough, when somebody else wants the
/// object, or when a caller asks; kept until the authority has them for good.
/// </summary>
/// <remarks>
/// The mechanism is that of CephFS's dirty capabilities, with one record and one number for each flush instead of a number for each bit. A record is rented when its
/// object turns dirty and takes every write until it is sealed; from then on it never changes, and later writes open the next one.
/// </remarks>
internal sealed class WriteBack
{
    /// <summary>How many objects one tick flushes at most; the rest waits for the next.</summary>
    private const int MaxPerTick = 4096;

    private readonly EngineClock _clock;
    private readonly Session _session;
    private readonly Outbox _outbox;
    private readonly long _delayMilliseconds;

    public WriteBack(TimeSpan delay, EngineClock clock, FlushLedger ledger, Session session, Outbox outbox)
    {
        _clock = clock;
        _session = session;
        _outbox = outbox;
        _delayMilliseconds = (long)delay.TotalMilliseconds;
        Ledger = ledger;
    }

    public FlushLedger Ledger { get; }

    public Session Session => _session;

    public LossLedger Losses { get; } = new();

    /// <summary>Told, with no gate held, of every loss.</summary>
    public Action<LossReport>? Lost { get; set; }

    /// <summary>Buffers a write if it may be; it needs no message.</summary>
    /// <param name="inode">The object.</param>
    /// <param name="change">The write.</param>
    /// <param name="version">The version that it has got, if it was buffered.</param>
    /// <param name="owes">Whether the outbox has got something to send.</param>
    public BufferStep TryBuffer(Inode inode, in Change change, out long version, out bool owes)
    {
        FlushRecord? fresh = null;
        BufferStep step;
        long now = _clock.Now;
        version = 0;

        // Bound: two rounds; the second has a record.
        while (true)
        {
            bool needsRecord = false;
            owes = false;
            using (Inode.Hold hold = inode.Enter())
            {
                step = hold.Judge(change, _session, now);
                if (step == BufferStep.Buffer)
                {
                    needsRecord = fresh is null && hold.Cap!.Buffer!.Dirty is null;
                    if (!needsRecord)
                    {
                        fresh = hold.Cap!.Buffer!.Dirty is null ? fresh : Keep(fresh);
                        version = hold.Buffer(change, fresh, _session, now);
                        owes = hold.TryWishForRoom(change.Size, wanted: change.Size);
                        fresh = null;
                    }
                }

                if (owes)
                {
                    _outbox.Append(hold.Cap!, inode.Cookie);
                }
            }

            if (!needsRecord)
            {
                break;
            }

            fresh = Ledger.TryRent();
            if (fresh is null)
            {
                // As many objects are dirty as may be: this one goes through, and waits.
                return BufferStep.WriteThrough;
            }
        }

        ReturnSpare(fresh);
        return step;
    }

    /// <summary>Seals what is dirty and queues it. Under the inode's gate, before whatever must come after it is queued.</summary>
    public void Seal(in Inode.Hold hold, bool isUrgent = false)
    {
        if (hold.Seal(isUrgent) is { } record)
        {
            _outbox.Append(record, hold.Cookie);
        }
    }

    /// <summary>Seals what is dirty if the right to keep it back is gone. Under the inode's gate, after a message was applied and before its answer is queued.</summary>
    public void SealIfTaken(in Inode.Hold hold)
    {
        if (hold.MustFlush(_session.Generation))
        {
            Seal(hold);
        }
    }

    /// <summary>Flushes what has been dirty for the write-back delay. Writing to it again has not put that off.</summary>
    public void FlushDue(long now)
    {
        for (int flushed = 0; flushed < MaxPerTick && Ledger.FirstDue(now - _delayMilliseconds) is { } inode; flushed++)
        {
            using Inode.Hold hold = inode.Enter();
            Seal(hold);
        }
    }

    /// <summary>Flushes everything that is dirty at this moment.</summary>
    public void FlushAll()
    {
        foreach (Inode inode in Ledger.SnapshotDirty())
        {
            using Inode.Hold hold = inode.Enter();
            Seal(hold);
        }
    }

    /// <summary>Gives up what an inode has not flushed.</summary>
    public void Abandon(Inode inode, LossReason reason, OperationStatus status, ref OperationList done)
    {
        var lost = default(FlushList);
        using (Inode.Hold hold = inode.Enter())
        {
            hold.WakeRoomWaiters(status, ref done);
            hold.Abandon(ref done, ref lost);
        }

        TellAll(ref lost, reason);
    }

    /// <summary>Tells of records that were lost. With no gate held, before their waiters are completed.</summary>
    public void TellAll(ref FlushList lost, LossReason reason = LossReason.RightLost)
    {
        while (lost.TakeFirst() is { } record)
        {
            LossReport report = Report(record, reason);
            Losses.Add(record.Inode, report);
            Lost?.Invoke(report);
        }
    }

    private static LossReport Report(FlushRecord record, LossReason reason) => new(
        record.Inode.KeyForReport, record.Bits.ToString(), (long)record.Tid.Value, record.BaseVersion + 1, record.Version, reason);

    private FlushRecord? Keep(FlushRecord? unneeded)
    {
        ReturnSpare(unneeded);
        return null;
    }

    private void ReturnSpare(FlushRecord? spare)
    {
        if (spare is not null)
        {
            Ledger.Return(spare);
        }
    }
}
