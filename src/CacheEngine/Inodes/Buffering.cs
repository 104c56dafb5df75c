using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>
/// What a node that holds an object alone does in its own memory: writes that only it knows of, sealed and sent before anybody else may see the object.
/// </summary>
/// <remarks>Steps under the inode's gate: each is handed the witness. A value, its version and the dirty mark change in one step.</remarks>
internal static class Buffering
{
    /// <summary>What becomes of a write now.</summary>
    public static BufferStep Judge(this in Inode.Hold hold, in Change change, Session session, long now)
    {
        if (hold.Cap is not { Buffer: { } buffer })
        {
            return BufferStep.WriteThrough;
        }

        // Whoever waits here waits for an answer of the authority, which would be older than what is buffered now.
        bool isBusy = hold.IsWriting || !hold.CapState.Revoking.IsEmpty || hold.Activity is { Question: not 0 } or { Waiters.IsEmpty: false };
        CapSet issued = now < session.Deadline ? hold.CapState.IssuedIn(session.Generation) : CapSet.None;
        long version = hold.NextVersion() + (change.LocalExpiry == long.MaxValue ? 0 : 1);
        return BufferDecision.Decide(issued, isBusy, version, buffer.VersionLimit, change.Size, buffer.MaxSize, buffer.IsLimitFinal);
    }

    /// <summary>The version of the next buffered write. The one behind a value that ends by itself is kept for its end.</summary>
    private static long NextVersion(this in Inode.Hold hold) => hold.ValueVersion + (hold.Cap!.Buffer!.HasEnd ? 2 : 1);

    /// <summary>Writes into the open record, which is <paramref name="fresh"/> if there was none.</summary>
    /// <returns>The version that the value has got.</returns>
    public static long Buffer(this in Inode.Hold hold, in Change change, FlushRecord? fresh, Session session, long now)
    {
        InodeBuffer buffer = hold.Cap!.Buffer!;
        FlushRecord record = buffer.Dirty ?? fresh!;
        if (buffer.Dirty is null)
        {
            record.Inode = hold.Cap.Inode!;
            record.Bits = CapSet.FileWrite;
            record.BaseVersion = hold.NextVersion() - 1;
            record.DirtiedAt = now;
            buffer.Dirty = record;
            record.Ledger.Open(record);
        }

        long version = hold.NextVersion();
        buffer.HasEnd = change.LocalExpiry != long.MaxValue;
        record.Version = version;
        record.Payload = change.Payload;
        record.Size = change.Size;
        record.ExpiresAt = change.LocalExpiry;
        hold.ForgetValue();
        hold.OvertakeFlight();
        hold.Publish(change.LocalValue, version, session.Generation, change.LocalExpiry);
        return version;
    }

    /// <summary>Whether the authority should be asked now for a larger limit; then the cap owes a message.</summary>
    public static bool TryWishForRoom(this in Inode.Hold hold, long size, long wanted)
    {
        InodeBuffer buffer = hold.Cap!.Buffer!;
        if (buffer.WantedSize != 0 || buffer.IsLimitFinal
            || (wanted <= buffer.MaxSize && !SizeQuota.AsksForMore(size, buffer.ReportedSize, buffer.MaxSize)))
        {
            return false;
        }

        buffer.WantedSize = Math.Max(wanted, buffer.MaxSize + 1);
        buffer.ReportedSize = size;
        hold.Cap.AnswerDue = true;
        return true;
    }

    /// <summary>Ends the open record: it has its tid from now on, and is to be sent.</summary>
    public static FlushRecord? Seal(this in Inode.Hold hold, bool isUrgent)
    {
        if (hold.Cap?.Buffer is not { Dirty: { } record } buffer)
        {
            return null;
        }

        buffer.Dirty = null;
        record.Cap = hold.CapState.Id;
        record.IsUrgent = isUrgent;
        record.Ledger.Seal(record);
        buffer.Flushing.Add(record);
        return record;
    }

    /// <summary>Whether something is dirty that this node may not keep back any more.</summary>
    public static bool MustFlush(this in Inode.Hold hold, SessionGeneration generation) =>
        hold.Cap?.Buffer is { Dirty: not null } && !hold.CapState.IssuedIn(generation).Contains(CapSet.FileBuffer);

    /// <summary>Whether a sealed record has not been sent in this session: it is in the outbox, since whatever the outbox sends comes behind the recovery.</summary>
    public static bool HasUnsent(this in Inode.Hold hold)
    {
        FlushRecord? at = hold.Cap?.Buffer?.Flushing.Head;
        while (at is not null && at.Phase != FlushPhase.Sealed)
        {
            at = at.NextInInode;
        }

        return at is not null;
    }

    /// <summary>The message of a sealed record.</summary>
    public static void BuildFlush(this in Inode.Hold hold, FlushRecord record, in Sending sending, out ClientMessage message)
    {
        bool isLast = record.Ledger.Sent(record);
        message = new ClientMessage
        {
            Kind = ClientMessageKind.Flush,
            Inode = hold.Id,
            Cookie = hold.Cookie,
            Cap = record.Cap,
            Seq = hold.CapState.Seq,
            Caps = hold.CapState.Implemented,
            Tid = record.Tid,
            Version = record.Version,
            IsUrgent = record.IsUrgent || isLast,
            Size = record.Size,
        };
        if (sending.HasEnded(record.ExpiresAt))
        {
            // Of a value that has ended, which nobody but this node has ever had, the authority learns only that it is over. The end has a version of its own.
            message.Version++;
            return;
        }

        message.TimeToLive = sending.TimeToLive(record.ExpiresAt);
        message.Payload = record.Payload;
    }

    /// <summary>Takes in that a record was applied; if it is durable, it and all before it have come to their end.</summary>
    /// <param name="hold">The witness.</param>
    /// <param name="message">The acknowledgement.</param>
    /// <param name="done">Receives the callers who waited.</param>
    public static void ApplyFlushed(this in Inode.Hold hold, in AuthorityMessage message, ref OperationList done)
    {
        if (hold.Cap?.Buffer is not { } buffer)
        {
            return;
        }

        if (!message.IsDurable)
        {
            if (buffer.Flushing.Find(message.Tid) is { } applied)
            {
                applied.Ledger.Applied(applied);
            }

            return;
        }

        var none = default(FlushList);
        buffer.VersionLimit = Math.Max(buffer.VersionLimit, message.VersionLimit);
        while (buffer.Flushing.Head is { } record && record.Tid <= message.Tid)
        {
            _ = buffer.Flushing.TakeFirst();
            record.Retire(FlushPhase.Durable, ref done, ref none);
        }
    }

    /// <summary>Takes in that a record never takes effect.</summary>
    public static void ApplyFlushRefused(this in Inode.Hold hold, FlushTid tid, ref OperationList done, ref FlushList lost) =>
        hold.Cap?.Buffer?.Flushing.Remove(tid)?.Retire(FlushPhase.Lost, ref done, ref lost);

    /// <summary>Gives up everything that has not been flushed: nobody will be able to.</summary>
    public static void Abandon(this in Inode.Hold hold, ref OperationList done, ref FlushList lost)
    {
        _ = hold.Seal(isUrgent: false);
        while (hold.Cap?.Buffer?.Flushing.TakeFirst() is { } record)
        {
            record.Retire(FlushPhase.Lost, ref done, ref lost);
        }
    }

    /// <summary>What was sent in a session that is lost is to be sent again.</summary>
    public static void Unsend(this in Inode.Hold hold)
    {
        for (FlushRecord? at = hold.Cap?.Buffer?.Flushing.Head; at is not null; at = at.NextInInode)
        {
            at.Ledger.Unsent(at);
        }
    }

    /// <summary>The clock has missed time: what is kept back and ends by it has less left than it says. What is under way counts from its arrival.</summary>
    public static void EndSooner(this in Inode.Hold hold, long missedMilliseconds)
    {
        hold.Cap?.Buffer?.Dirty?.EndSooner(missedMilliseconds);
        for (FlushRecord? at = hold.Cap?.Buffer?.Flushing.Head; at is not null; at = at.NextInInode)
        {
            at.EndSooner(missedMilliseconds);
        }
    }

    /// <summary>Takes in how far this node may go on its own.</summary>
    public static void TakeLimits(this in Inode.Hold hold, in AuthorityMessage message, ref OperationList done)
    {
        if (hold.Cap?.Buffer is not { } buffer)
        {
            return;
        }

        if (hold.CapState.Issued.Contains(CapSet.FileBuffer) && message.VersionLimit != 0)
        {
            buffer.VersionLimit = message.VersionLimit;
            buffer.IsLimitFinal = buffer.WantedSize > message.MaxSize;
            buffer.MaxSize = message.MaxSize;
            buffer.WantedSize = 0;
        }

        hold.WakeRoomWaiters(OperationStatus.Written, ref done);
    }

    /// <summary>Whoever waits for room looks again.</summary>
    public static void WakeRoomWaiters(this in Inode.Hold hold, OperationStatus status, ref OperationList done)
    {
        while (hold.Cap?.Buffer?.RoomWaiters.TakeFirst() is { } waiter)
        {
            waiter.End(new OperationResult(status), ref done);
        }
    }

    /// <summary>The same once there is no right left that room could be given for: a wish that crosses the loss of it is never answered. One that goes with a
    /// claim is.</summary>
    public static void WakeRoomWaitersIfTaken(this in Inode.Hold hold, SessionGeneration generation, ref OperationList done)
    {
        bool isClaimed = hold.CapState.Generation != generation && hold.CapState.Issued.Contains(CapSet.FileBuffer) && hold.IsWorthClaiming();
        if (!isClaimed && !hold.CapState.IssuedIn(generation).Contains(CapSet.FileBuffer))
        {
            hold.WakeRoomWaiters(OperationStatus.Written, ref done);
        }
    }

    /// <summary>Lists a caller behind the youngest record; false when there is none.</summary>
    public static bool TryAwaitFlush(this in Inode.Hold hold, Operation operation)
    {
        if (hold.Cap?.Buffer?.Flushing.Newest is not { } newest)
        {
            return false;
        }

        operation.IsListed = true;
        newest.Waiters.Add(operation);
        return true;
    }

    /// <summary>Lists a caller whose value needs a larger limit.</summary>
    public static void AwaitRoom(this in Inode.Hold hold, Operation operation)
    {
        operation.IsListed = true;
        hold.Cap!.Buffer!.RoomWaiters.Add(operation);
    }

    /// <summary>Takes a caller out that waits for a flush or for room, by ticket.</summary>
    public static bool TryEndFlushWaiter(this in Inode.Hold hold, long ticket, OperationStatus status, ref OperationList done)
    {
        if (hold.Cap?.Buffer is not { } buffer)
        {
            return false;
        }

        Operation? waiter = buffer.RoomWaiters.Remove(ticket);
        for (FlushRecord? at = buffer.Flushing.Head; at is not null && waiter is null; at = at.NextInInode)
        {
            waiter = at.Waiters.Remove(ticket);
        }

        waiter?.End(new OperationResult(status), ref done);
        return waiter is not null;
    }
}
