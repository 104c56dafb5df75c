using CacheEngine.Arbitration;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>
/// What this node changes at an inode: writes on their way, and the exclusive right that it may hold to change the object in its own time.
/// </summary>
/// <remarks>
/// <para>From the first to the last of them the node serves nothing: otherwise, once the authority has applied a write, another node could read the new value
/// and this one still the old.</para>
/// <para>An <em>owner</em> holds the exclusive right in use: a revoke is answered when the owner has said how its change ended, in a settlement, or when
/// its own engine takes the right from it. Steps under the inode's gate: each is handed the witness.</para>
/// </remarks>
internal static class Changes
{
    /// <summary>Starts a change: from here on this node serves nothing until the authority has answered.</summary>
    public static void BeginChange(this in Inode.Hold hold, Operation operation)
    {
        InodeActivity activity = hold.Activity!;
        operation.IsListed = true;
        activity.Writes.Add(operation);

        // Whoever calls from now on may have seen on another node what this change does.
        activity.Flight = null;
        if (activity.Owned.IsOpen)
        {
            hold.ForgetValue();
        }
        else
        {
            hold.Surrender();
        }
    }

    /// <summary>Starts storing a loaded value; false when the right it was loaded under is gone.</summary>
    public static bool TryBeginFill(this in Inode.Hold hold, Operation operation, SessionGeneration generation)
    {
        bool stands = hold.Epoch == operation.Change.Epoch && hold.Holds(Rights.Exclusive, generation);
        if (stands)
        {
            operation.IsListed = true;
            hold.Activity!.Writes.Add(operation);
            hold.Surrender();
        }

        return stands;
    }

    /// <summary>Starts saying how an owner's change ended; false when its right is gone.</summary>
    /// <remarks>The right stays in use until the message is made: what is sent before it must not look as if the right had been given up.</remarks>
    public static bool TryBeginSettlement(this in Inode.Hold hold, Operation operation)
    {
        bool stands = hold.Activity is { } activity && activity.Owned == operation.Change.Ownership && !activity.IsSettling;
        if (stands)
        {
            operation.IsListed = true;
            hold.Activity!.IsSettling = true;
            hold.Activity.Writes.Add(operation);
        }

        return stands;
    }

    /// <summary>The outbox lets go of a change and sends it if it is still wanted.</summary>
    /// <param name="hold">The witness.</param>
    /// <param name="operation">The change.</param>
    /// <param name="message">The message.</param>
    /// <param name="owes">Whether the cap owes an answer behind it.</param>
    public static bool TryTakeRequest(this in Inode.Hold hold, Operation operation, out ClientMessage message, out bool owes)
    {
        message = default;
        owes = false;
        if (!operation.IsListed)
        {
            return false;
        }

        message.Kind = operation.Kind switch
        {
            OperationKind.Write => ClientMessageKind.Write,
            OperationKind.Remove => ClientMessageKind.Remove,
            OperationKind.Fill => ClientMessageKind.Fill,
            OperationKind.Own => ClientMessageKind.Own,
            OperationKind.Recall => ClientMessageKind.Recall,
            OperationKind.Settle => ClientMessageKind.Settle,
            _ => throw new InvalidOperationException($"An operation of kind {operation.Kind} is not sent."),
        };
        operation.IsSent = true;
        message.RequestId = operation.Ticket;
        message.Inode = hold.Id;
        message.Key = hold.Id.IsKnown ? default : hold.Activity!.Key;
        message.Cookie = hold.Cookie;
        message.Cap = hold.CapState.Id;
        message.Seq = hold.CapState.Seq;
        message.Wanted = operation.Change.WantsBuffer ? Rights.Buffered | CapSet.Pin : Rights.AfterWrite;
        message.Size = operation.Change.Size;
        message.Payload = operation.Change.Payload;
        message.Precondition = operation.Change.Precondition;
        message.Ownership = operation.Change.Ownership;
        message.Settlement = operation.Change.Settlement;
        message.TimeToLive = operation.Change.TimeToLive;
        if (operation.Kind == OperationKind.Settle && hold.Activity!.Owned == operation.Change.Ownership)
        {
            owes = hold.EndOwnership();
        }

        return true;
    }

    /// <summary>Takes in the right to change the object: for the operation that asked, or for a reader who is to raise the fence first.</summary>
    /// <returns>Whether the cap owes a message: nobody wants the right any more.</returns>
    public static bool ApplyOwnership(
        this in Inode.Hold hold, in AuthorityMessage message, Session session, long now, ref OperationList done)
    {
        InodeActivity? activity = hold.Activity;
        Operation? asked = activity?.Writes.Find(message.RequestId);
        Operation? owner = asked is { Kind: OperationKind.Own } ? activity!.Writes.Remove(asked.Ticket) : null;
        bool isHeld = now < session.Deadline && hold.CapState.IssuedIn(session.Generation).Contains(Rights.Exclusive);
        if (owner is null && isHeld && !hold.IsWriting)
        {
            owner = activity?.Waiters.TakeFirst();
        }

        if (owner is null)
        {
            return hold.ReturnCap();
        }

        // The lease has run out on the way: the right is not handed on, but given back by the caller of the list, who settles it.
        OperationStatus status =
            !isHeld ? OperationStatus.Unavailable
            : message.IsUnsettled ? OperationStatus.Unsettled
            : OperationStatus.Owned;
        var ownership = new Ownership(message.RequestId, message.Fence);
        if (activity!.Owned.IsOpen)
        {
            // The authority has taken that right meanwhile; its owner will find out.
            hold.CloseOwnership();
        }

        activity.Owned = ownership;
        activity.HoldsUpSince = activity.Writes.IsEmpty && activity.Waiters.IsEmpty ? 0 : now;
        activity.Owners.Add(activity);
        hold.Cap!.Refs.Take(CapSet.FileWrite);
        hold.ForgetValue();
        var result = new OperationResult(status, message.Payload, message.Version, hold.Epoch)
        {
            Ownership = ownership,
            HasValue = message.HasValue,
        };
        owner.End(result, ref done);
        return false;
    }

    /// <summary>Takes in the outcome of a change.</summary>
    /// <returns>Whether the cap owes an answer.</returns>
    public static bool ApplyOutcome(this in Inode.Hold hold, in AuthorityMessage message, Session session, ref OperationList done)
    {
        hold.Bind(message);
        InodeActivity? activity = hold.Activity;
        Operation? operation = activity?.Writes.Remove(message.RequestId);
        bool owes = message.Cap.Value != 0 && hold.ApplyCap(message, session, isRevoke: false);
        if (activity is { Owned.IsOpen: false } && (!activity.Writes.IsEmpty || activity.Question != 0))
        {
            // What this node has asked since gives up what is exclusive, on both sides.
            hold.GiveUpExclusive();
        }

        hold.TakeLimits(message, ref done);
        if (activity is null || operation is null)
        {
            return owes;
        }

        if (message.Kind == AuthorityMessageKind.Written)
        {
            hold.TakeOwnValue(operation, message, session.Generation);
        }

        OperationStatus status = message.Kind == AuthorityMessageKind.Written ? OperationStatus.Written : OperationStatus.Refused;
        var result = new OperationResult(status, Version: message.Version, Epoch: hold.Epoch) { Refusal = message.Refusal };
        operation.End(result, ref done);
        Waits.Answered(operation.Flight, result);
        return owes;
    }

    /// <summary>Gives the exclusive right of a load back without a value: it failed, or nobody waits for it any more.</summary>
    /// <returns>Whether the cap owes a message.</returns>
    public static bool AbandonLoad(this in Inode.Hold hold, uint epoch, SessionGeneration generation) =>
        hold.Epoch == epoch && hold.Holds(Rights.Exclusive, generation) && hold.ReturnCap();

    /// <summary>Somebody wants what an owner of this node has: from the first time on, the break timeout counts.</summary>
    public static void NoteHeldUp(this in Inode.Hold hold, long now)
    {
        if (hold.Activity is { Owned.IsOpen: true, HoldsUpSince: 0 } activity)
        {
            activity.HoldsUpSince = now;
        }
    }

    /// <summary>Takes the right from an owner of this node who has held up others for too long and does not settle.</summary>
    /// <returns>Whether the cap owes a message now.</returns>
    public static bool BreakIfOverdue(this in Inode.Hold hold, long now, long timeoutMilliseconds)
    {
        if (hold.Activity is not { IsSettling: false } activity || !activity.Owned.IsOpen)
        {
            return false;
        }

        bool holdsUp = !hold.CapState.Revoking.IsEmpty || !activity.Waiters.IsEmpty || !activity.Writes.IsEmpty;
        if (!holdsUp || activity.HoldsUpSince == 0)
        {
            activity.HoldsUpSince = holdsUp ? now : 0;
            return false;
        }

        if (now - activity.HoldsUpSince < timeoutMilliseconds)
        {
            return false;
        }

        _ = hold.EndOwnership();
        return hold.ReturnCap();
    }

    /// <summary>Finds a change by ticket. One whose caller gives up stays listed if it was sent: until it is answered, nothing here is known for sure.</summary>
    /// <param name="hold">The witness.</param>
    /// <param name="ticket">Its ticket.</param>
    /// <param name="status">How it ends if it was not sent.</param>
    /// <param name="done">Receives a change that was not sent: it is withdrawn, and nothing comes of it.</param>
    /// <returns>A change that was sent.</returns>
    public static Operation? FindSentOrWithdraw(this in Inode.Hold hold, long ticket, OperationStatus status, ref OperationList done)
    {
        Operation? change = hold.Activity?.Writes.Find(ticket);
        if (change is null or { IsSent: true } or { Kind: OperationKind.Settle })
        {
            return change;
        }

        hold.Activity!.Writes.Remove(ticket)!.End(new OperationResult(status), ref done);
        return null;
    }

    /// <summary>A change that was not sent has surrendered on this side only: the authority is told.</summary>
    /// <returns>Whether the cap owes a message.</returns>
    public static bool ReturnWithdrawn(this in Inode.Hold hold, SessionGeneration generation) =>
        !hold.IsWriting && hold.CapState.Id.Value != 0 && hold.CapState.Generation == generation && hold.ReturnCap();

    /// <summary>The session is over: nothing that was asked or sent under it will be answered.</summary>
    /// <param name="hold">The witness.</param>
    /// <param name="done">Receives the changes that were sent, whose outcome is unknown, and those whose right is gone. Reads, and changes that were not
    /// sent, stay for the next session.</param>
    public static void LoseSession(this in Inode.Hold hold, ref OperationList done)
    {
        InodeActivity? activity = hold.Activity;
        if (activity is { Owned.IsOpen: true })
        {
            _ = hold.EndOwnership();
        }

        hold.Suspend();
        hold.Unsend();
        if (hold.Cap is { } cap)
        {
            cap.AnswerDue = false;
        }

        if (activity is null)
        {
            return;
        }

        activity.Question = 0;
        hold.OvertakeFlight();
        OperationList changes = activity.Writes;
        activity.Writes = default;
        while (changes.TakeFirst() is { } change)
        {
            if (change.IsSent)
            {
                change.End(new OperationResult(OperationStatus.Unavailable) { IsOutcomeUnknown = true }, ref done);
            }
            else if (change.Kind is OperationKind.Settle or OperationKind.Fill)
            {
                change.End(new OperationResult(OperationStatus.Refused) { Refusal = Refusal.RightLost }, ref done);
            }
            else
            {
                activity.Writes.Add(change);
            }
        }
    }

    /// <summary>Takes out everything that waits, and forgets what was known.</summary>
    public static void EndAll(this in Inode.Hold hold, OperationStatus status, ref OperationList done)
    {
        hold.LoseSession(ref done);
        hold.ForgetValue();
        if (hold.Activity is { } activity)
        {
            while (activity.Waiters.TakeFirst() is { } waiter)
            {
                waiter.End(new OperationResult(status), ref done);
            }

            while (activity.Writes.TakeFirst() is { } change)
            {
                change.End(new OperationResult(status), ref done);
            }
        }
    }

    private static void TakeOwnValue(this in Inode.Hold hold, Operation operation, in AuthorityMessage message, SessionGeneration generation)
    {
        ref readonly Change change = ref operation.Change;
        if (change.HasLocalValue)
        {
            // Its source has the value even if the authority keeps none.
            AuthorityMessage known = message;
            known.HasValue = true;
            hold.TakeValue(known, Payload.OfReference(change.LocalValue), generation, change.LocalExpiry);
        }
        else if (operation.Kind != OperationKind.Recall)
        {
            hold.TakeValue(message, default, generation, long.MaxValue);
        }
    }

    /// <summary>The right goes back, or is gone.</summary>
    /// <returns>Whether the answer to a revoke is due now.</returns>
    private static bool EndOwnership(this in Inode.Hold hold)
    {
        bool owes = hold.CloseOwnership();
        hold.Surrender();
        return owes;
    }

    private static bool CloseOwnership(this in Inode.Hold hold)
    {
        InodeActivity activity = hold.Activity!;
        activity.Owned = default;
        activity.IsSettling = false;
        activity.HoldsUpSince = 0;
        activity.Owners.Remove(activity);
        return hold.Put(CapSet.FileWrite);
    }
}
