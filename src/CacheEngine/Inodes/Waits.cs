using CacheEngine.Arbitration;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>
/// What callers wait for at an inode: readers in order of arrival, the one open question that will answer them, and the load that they share.
/// </summary>
/// <remarks>Steps under the inode's gate: each is handed the witness.</remarks>
internal static class Waits
{
    /// <summary>Whether a request of this inode is the one: its open question, or a change that has not been answered.</summary>
    public static bool IsAsking(this in Inode.Hold hold, long requestId) =>
        requestId != 0 && hold.Activity is { } activity && (activity.Question == requestId || activity.Writes.Find(requestId) is not null);

    /// <summary>What a reader is told without asking; <see cref="OperationStatus.Pending"/>: it must wait.</summary>
    public static OperationResult TryAnswer(this in Inode.Hold hold, OperationKind kind, Session session, long now)
    {
        bool isHeld = now < session.Deadline && hold.Holds(Rights.Serve, session.Generation);
        return !isHeld ? default
            : hold.IsServable ? new OperationResult(OperationStatus.Present, hold.LoadValue(), hold.ValueVersion, hold.Epoch) { Expiry = hold.Expiry }
            : hold.ValueState == ValueState.Absent && kind == OperationKind.Read
                ? new OperationResult(OperationStatus.Absent, Version: hold.ValueVersion, Epoch: hold.Epoch)
            : default;
    }

    /// <summary>The load that asked has its answer: from here on it is good for newcomers only while the right stands.</summary>
    public static void Answered(LoadFlight? flight, in OperationResult answer)
    {
        if (flight is not null)
        {
            flight.Phase = FlightPhase.Answered;
            flight.Epoch = answer.Epoch;
            flight.Expiry = answer.Expiry;
        }
    }

    /// <summary>Adds a waiter, last in line.</summary>
    public static void AddWaiter(this in Inode.Hold hold, Operation operation)
    {
        operation.IsListed = true;
        hold.Activity!.Waiters.Add(operation);
    }

    /// <summary>Takes a waiter out of the list, by ticket; false when it is no longer there.</summary>
    public static bool TryEndWaiter(this in Inode.Hold hold, long ticket, OperationStatus status, ref OperationList done)
    {
        Operation? waiter = hold.Activity?.Waiters.Remove(ticket);
        waiter?.End(new OperationResult(status), ref done);
        return waiter is not null;
    }

    /// <summary>Opens a question if the waiters need one: none is under way, and no right or change of our own will answer them.</summary>
    /// <returns>The outbox entry of the question, or null.</returns>
    /// <remarks>Without a lease nothing is asked, since no answer could be used: when the lease is back, all waiters are considered again. A waiter waits for
    /// the changes that were there before it, not for those that came after: else changes without end would starve it.</remarks>
    public static InodeActivity? TryAsk(this in Inode.Hold hold, Session session, long ticket, long now)
    {
        InodeActivity? activity = hold.Activity;
        if (activity is null || activity.Waiters.IsEmpty || activity.Question != 0 || activity.Owned.IsOpen || now >= session.Deadline)
        {
            return null;
        }

        if (!activity.Writes.IsEmpty && activity.Writes.FirstTicket < activity.Waiters.FirstTicket)
        {
            return null;
        }

        bool wantsLoad = activity.Waiters.Has(OperationKind.Load);
        bool answerIsKnown = hold.Holds(Rights.Serve, session.Generation)
            && (hold.IsServable || (hold.ValueState == ValueState.Absent && !wantsLoad));
        if (answerIsKnown)
        {
            return null;
        }

        if (!activity.Writes.IsEmpty)
        {
            // The answer is for those who have called by now.
            activity.Flight = null;
        }

        activity.Question = ticket;
        activity.QuestionKind = wantsLoad ? ClientMessageKind.Load : ClientMessageKind.Acquire;
        activity.QuestionAskedAt = now;
        activity.QuestionDue = true;
        return activity;
    }

    /// <summary>The outbox lets go of the question and sends it if it is still open.</summary>
    public static bool TryTakeQuestion(this in Inode.Hold hold, out ClientMessage message)
    {
        InodeActivity activity = hold.Activity!;
        activity.InOutbox--;
        message = default;
        if (activity.Question == 0 || !activity.QuestionDue)
        {
            return false;
        }

        activity.QuestionDue = false;
        message.Kind = activity.QuestionKind;
        message.RequestId = activity.Question;
        message.Inode = hold.Id;
        message.Key = activity.Key;
        message.Cookie = hold.Cookie;
        message.Wanted = Rights.AfterWrite;
        return true;
    }

    /// <summary>Takes in a grant: the answer to a question, value and right together, or the right to change the object.</summary>
    /// <returns>Whether the cap owes an answer of its own.</returns>
    public static bool ApplyGrant(
        this in Inode.Hold hold, in AuthorityMessage message, Session session, in LeaseTerms terms, long now, ref OperationList done)
    {
        hold.Bind(message);
        InodeActivity? activity = hold.Activity;
        bool isAnswer = activity is not null && activity.Question == message.RequestId;
        if (isAnswer)
        {
            activity!.Question = 0;
        }

        bool owes = hold.ApplyCap(message, session, isRevoke: false);
        if (message.Fence.Value != 0)
        {
            return owes | hold.ApplyOwnership(message, session, now, ref done);
        }

        // Counted from before the question was sent, so the value ends here before it ends at the authority. An answer to no question is not kept.
        long expiry =
            message.TimeToLive == 0 ? long.MaxValue
            : isAnswer ? activity!.QuestionAskedAt + terms.WithinElsewhere(message.TimeToLive)
            : long.MinValue;
        if (now < expiry)
        {
            hold.TakeValue(message, message.Payload, session.Generation, expiry);
        }

        if (activity is not null && now < session.Deadline)
        {
            // Under a right the answer is current now, unless the value has ended on the way, or a change of our own is on its way that others may have
            // seen. Else it was current when the authority gave it.
            bool isCurrent = now < expiry && hold.Holds(Rights.Serve, session.Generation);
            hold.AnswerWaiters(message, isCurrent, expiry, ref done);
            if (!isCurrent)
            {
                hold.AnswerKnown(session, now, ref done);
            }
        }

        return owes | hold.ReturnUnusedExclusive(session.Generation);
    }

    /// <summary>Ends every waiter whose answer is known by now without a message: after a change of our own, or when the lease is back.</summary>
    public static void AnswerKnown(this in Inode.Hold hold, Session session, long now, ref OperationList done)
    {
        InodeActivity? activity = hold.Activity;
        if (activity is null)
        {
            return;
        }

        hold.Expire(now);
        OperationList waiters = activity.Waiters;
        activity.Waiters = default;
        while (waiters.TakeFirst() is { } waiter)
        {
            OperationResult answer = hold.TryAnswer(waiter.Kind, session, now);
            if (answer.Status != OperationStatus.Pending)
            {
                waiter.End(answer, ref done);
                Answered(waiter.Flight, answer);
            }
            else
            {
                activity.Waiters.Add(waiter);
            }
        }
    }

    /// <summary>Joins the load under way, or makes <paramref name="fresh"/> the load that others join.</summary>
    /// <param name="hold">The witness.</param>
    /// <param name="fresh">The caller's own flight, already counting the caller.</param>
    /// <param name="session">The session.</param>
    /// <param name="now">Engine milliseconds.</param>
    public static LoadFlight JoinOrStart(this in Inode.Hold hold, LoadFlight fresh, Session session, long now)
    {
        InodeActivity activity = hold.Activity!;
        LoadFlight? flight = activity.Flight;

        // A load that has begun answers this caller only while its right stands: once it is gone, a write that was acknowledged before this
        // call may be missing in it.
        bool isCurrent = flight is not null
            && (flight.Phase == FlightPhase.Asking
                || (flight.Phase == FlightPhase.Answered
                    && flight.Epoch == hold.Epoch
                    && now < session.Deadline
                    && now < flight.Expiry
                    && hold.Holds(Rights.Serve, session.Generation)));
        if (isCurrent && flight!.TryJoin())
        {
            flight.HasLateCallers |= flight.Phase == FlightPhase.Asking && activity.Question != 0;
            return flight;
        }

        activity.Flight = fresh;
        return fresh;
    }

    /// <summary>The load is over for those who come later.</summary>
    public static void EndFlight(this in Inode.Hold hold, LoadFlight flight)
    {
        flight.Phase = FlightPhase.Over;
        if (hold.Activity is { } activity && ReferenceEquals(activity.Flight, flight))
        {
            activity.Flight = null;
        }
    }

    /// <summary>A load that has its answer serves nobody who comes after this moment; one that still asks is as good as before.</summary>
    public static void OvertakeFlight(this in Inode.Hold hold)
    {
        if (hold.Activity is { Flight.Phase: not FlightPhase.Asking } activity)
        {
            activity.Flight = null;
        }
    }

    private static void AnswerWaiters(
        this in Inode.Hold hold, in AuthorityMessage message, bool isCurrent, long expiry, ref OperationList done)
    {
        InodeActivity activity = hold.Activity!;

        // One that was current when the authority gave it is good for those who had called before the question was opened, but before the others called
        // a write may have been acknowledged, or the end of the value seen.
        bool isElected = !message.HasValue && message.Caps.Contains(Rights.Exclusive);
        OperationList waiters = activity.Waiters;
        activity.Waiters = default;
        while (waiters.TakeFirst() is { } waiter)
        {
            bool isTooEarly = !isCurrent && (waiter.Ticket > message.RequestId || hold.CloseToLateCallers(waiter.Flight));
            OperationStatus status =
                isTooEarly ? OperationStatus.Pending
                : message.HasValue ? OperationStatus.Present
                : waiter.Kind == OperationKind.Read ? OperationStatus.Absent
                : isElected ? OperationStatus.Elected
                : OperationStatus.Pending;
            if (status == OperationStatus.Pending)
            {
                activity.Waiters.Add(waiter);
                continue;
            }

            var answer = new OperationResult(status, message.Payload, message.Version, hold.Epoch) { Expiry = expiry };
            waiter.End(answer, ref done);
            Answered(waiter.Flight, answer);
            isElected &= status != OperationStatus.Elected;
        }
    }

    /// <summary>Whether somebody joined the load after the question had been opened. Then nobody joins it any more, so that the next question is for all of
    /// its callers.</summary>
    private static bool CloseToLateCallers(this in Inode.Hold hold, LoadFlight? flight)
    {
        if (flight is not { HasLateCallers: true })
        {
            return false;
        }

        flight.HasLateCallers = false;
        InodeActivity activity = hold.Activity!;
        activity.Flight = ReferenceEquals(activity.Flight, flight) ? null : activity.Flight;
        return true;
    }

    /// <summary>Gives an exclusive right back at once if the load it was meant for has gone.</summary>
    private static bool ReturnUnusedExclusive(this in Inode.Hold hold, SessionGeneration generation)
    {
        bool isHeld = !hold.IsWriting && hold.CapState.IssuedIn(generation).Contains(CapSet.FileExcl);
        bool isUsed = hold.Activity?.Flight is { Phase: FlightPhase.Answered } flight && flight.Epoch == hold.Epoch;
        return isHeld && !isUsed && hold.ReturnCap();
    }
}
