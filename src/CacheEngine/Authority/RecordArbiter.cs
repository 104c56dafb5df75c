using System.Runtime.InteropServices;
using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>
/// Applies events to one record: requests in order of arrival, rights taken back before a conflicting one is given.
/// </summary>
/// <remarks>
/// The caller makes it atomic. Every judgement is a pure decision of CacheEngine.Core, one holder or one request at a time; this class only walks the
/// record and carries the verdicts out. A request that cannot be served keeps its place and holds up those behind it, with two exceptions: a
/// load lets others pass while another session loads or a write waits, so that a writer never waits for a factory; and what an owner's own session
/// asks for lets others ask the owner for its right.
/// </remarks>
internal static class RecordArbiter
{
    private const int MaxYields = 8;

    public static void Apply(RecordState record, in RecordEvent what, IRecordContext context)
    {
        record.EndValue(context);
        switch (what.Kind)
        {
            case RecordEventKind.SessionGone:
                Forget(record, what.Session, isClean: false, context);
                break;
            case RecordEventKind.SessionClosed:
                Forget(record, what.Session, isClean: true, context);
                break;
            case RecordEventKind.SessionEvicted:
                record.DropRequests(what.Session);
                if (record.Find(what.Session) is { } evicted)
                {
                    evicted.State.Engine = default;
                }

                break;
            case RecordEventKind.SessionCut:
                record.DropRequests(what.Session);
                break;
            case RecordEventKind.Message:
                TakeIn(record, what.Session, what.Message, context);
                break;
            case RecordEventKind.TimePassed:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what.Kind, "Not a record event.");
        }

        // What was just taken in may have ended a buffer, which had put off the end of a value.
        record.EndValue(context);
        record.EndOwner(context);
        Serve(record, context);
    }

    private static void TakeIn(RecordState record, SessionId session, in ClientMessage message, IRecordContext context)
    {
        switch (message.Kind)
        {
            case ClientMessageKind.Acquire:
                Queue(record, session, RequestKind.Acquire, message, context);
                break;
            case ClientMessageKind.Load:
                Queue(record, session, RequestKind.Load, message, context);
                break;
            case ClientMessageKind.Write:
                QueueChange(record, session, RequestKind.Write, message, context);
                break;
            case ClientMessageKind.Remove:
                QueueChange(record, session, RequestKind.Remove, message, context);
                break;
            case ClientMessageKind.Own:
                QueueChange(record, session, RequestKind.Own, message, context);
                break;
            case ClientMessageKind.Recall:
                QueueChange(record, session, RequestKind.Recall, message, context);
                break;
            case ClientMessageKind.Settle:
                Settle(record, session, message, context);
                break;
            case ClientMessageKind.Fill:
                Fill(record, session, message, context);
                break;
            case ClientMessageKind.Flush:
                RecordFlushes.Flush(record, session, message, context);
                break;
            case ClientMessageKind.Claim:
                RecordFlushes.Claim(record, session, message, context);
                break;
            case ClientMessageKind.CapUpdate:
                if (record.Find(session) is { } holder && holder.State.Cap == message.Cap)
                {
                    _ = holder.State.Answer(message.Seq, message.Caps);
                    RecordFlushes.GiveRoom(record, holder, message, context);
                }

                break;
            case ClientMessageKind.Release:
                Release(record, session, message);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(message), message.Kind, "Not a message about an object.");
        }
    }

    /// <summary>A request that its sender has given up what is exclusive for. One whose precondition fails is refused before anybody is disturbed.</summary>
    private static void QueueChange(
        RecordState record, SessionId session, RequestKind kind, in ClientMessage message, IRecordContext context)
    {
        Surrender(record, session);
        Refusal refusal = record.Judge(message.Precondition);
        if (refusal != Refusal.None)
        {
            RecordReplies.Refuse(record, session, message.RequestId, message.Cookie, refusal, context);
            return;
        }

        Queue(record, session, kind, message, context);
    }

    private static void Queue(
        RecordState record, SessionId session, RequestKind kind, in ClientMessage message, IRecordContext context)
    {
        Holder? holder = record.Find(session);
        if (holder is null)
        {
            context.Touched(record, session);
        }
        else if (holder.State.Implemented.Contains(CapSet.FileBuffer))
        {
            // Who asks for a value does not have it alone any more; what it had buffered came before.
            Surrender(record, session);
        }

        record.Requests.Add(new RequestState
        {
            Session = session,
            RequestId = message.RequestId,
            Kind = kind,
            Need = Rights.Serve,
            Want = Rights.WantedBy(kind, message.Wanted),
            Size = message.Size,
            Cookie = message.Cookie,
            Precondition = message.Precondition,
            TimeToLive = message.TimeToLive,
            Payload = message.Payload,
        });
    }

    /// <summary>The sender of a change gives up what is exclusive, on both sides; an owner keeps it until it settles.</summary>
    private static void Surrender(RecordState record, SessionId session)
    {
        if (record.Find(session) is { } holder && !(record.Owner.IsOpen && record.Owner.Session == session))
        {
            holder.State.Issued &= Rights.AfterWrite;
            holder.State.Implemented &= Rights.AfterWrite;
        }
    }

    private static void Fill(RecordState record, SessionId session, in ClientMessage message, IRecordContext context)
    {
        Holder? holder = record.Find(session);
        bool stands = holder is not null
            && holder.State.Cap == message.Cap
            && holder.State.Issued.Contains(Rights.Exclusive)
            && !record.Owner.IsOpen
            && !record.HasValue;
        Surrender(record, session);
        if (!stands)
        {
            RecordReplies.Refuse(record, session, message.RequestId, message.Cookie, Refusal.RightLost, context);
            return;
        }

        record.Change(hasValue: true, message.Payload, message.TimeToLive, context);
        AuthorityMessage reply = RecordReplies.Issue(record, holder!, AuthorityMessageKind.Written, holder!.State.Issued, context);
        RecordReplies.Address(ref reply, message.RequestId, message.Cookie);
        context.Owe(session, ref reply);
    }

    /// <summary>An owner says how its change ended. It is believed only while its right stands: else the object has gone on without it.</summary>
    private static void Settle(RecordState record, SessionId session, in ClientMessage message, IRecordContext context)
    {
        if (!record.Owner.Is(session, message.Ownership) || record.Find(session) is not { } holder)
        {
            Surrender(record, session);
            RecordReplies.Refuse(record, session, message.RequestId, message.Cookie, Refusal.RightLost, context);
            return;
        }

        record.Owner = default;
        Surrender(record, session);
        switch (message.Settlement)
        {
            case Settlement.Completed:
                record.IsUnsettled = false;
                record.Change(message.Payload.Kind != PayloadKind.None, message.Payload, message.TimeToLive, context);
                break;
            case Settlement.Raised:
                record.IsUnsettled = false;
                break;
            case Settlement.Unknown:
                record.Unsettle(context);
                break;
            default:
                break;
        }

        bool givesRight = !record.IsUnsettled && record.Requests.Count == 0;
        AuthorityMessage reply = RecordReplies.Issue(record, holder, AuthorityMessageKind.Written, givesRight ? Rights.AfterWrite : CapSet.Pin, context);
        RecordReplies.Address(ref reply, message.RequestId, message.Cookie);
        context.Owe(session, ref reply);
    }

    private static void Release(RecordState record, SessionId session, in ClientMessage message)
    {
        // A release that names an older message than the last issue speaks of rights given since: it crossed them.
        if (record.Find(session) is { } holder && holder.State.Cap == message.Cap && !holder.State.IssueSeq.IsAfter(message.Seq))
        {
            record.Holders.Remove(holder);
        }
    }

    private static void Forget(RecordState record, SessionId session, bool isClean, IRecordContext context)
    {
        record.DropRequests(session);
        if (record.Find(session) is { } holder)
        {
            record.Holders.Remove(holder);
            if (!isClean)
            {
                RecordFlushes.EndBuffer(record, holder, context);
            }
        }
    }

    private static void Serve(RecordState record, IRecordContext context)
    {
        // Bound: each round serves one request, or looks one further.
        int at = 0;
        while (at < record.Requests.Count)
        {
            RequestState request = record.Requests[at];
            bool yields = YieldsToWrite(record, at);
            CapSet need = Rights.NeededFor(request.Kind, request.Need, record.HasValue);
            if (!yields && TryServe(record, request, need, context))
            {
                record.Requests.RemoveAt(at);
                at = 0;
            }
            else if (yields || WaitsForLoader(record, request) || WaitsForOwnChange(record, request))
            {
                at++;
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>A load lets a write that waits behind it go first: the write's value answers it, and to elect it now would only add a revoke. At
    /// most <see cref="MaxYields"/> times, so that removals without end do not starve it.</summary>
    private static bool YieldsToWrite(RecordState record, int at)
    {
        RequestState request = record.Requests[at];
        if (request.Kind != RequestKind.Load || record.HasValue || request.Yielded >= MaxYields)
        {
            return false;
        }

        for (int behind = at + 1; behind < record.Requests.Count; behind++)
        {
            if (record.Requests[behind].Kind is RequestKind.Write or RequestKind.Remove)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A load waits for another session's load, and lets everything else pass meanwhile.</summary>
    private static bool WaitsForLoader(RecordState record, in RequestState request)
    {
        if (request.Kind != RequestKind.Load || record.HasValue)
        {
            return false;
        }

        foreach (Holder holder in record.Holders)
        {
            if (holder.State.Session != request.Session && Rights.IsLoading(holder.State.Issued))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A node's own change comes before its other requests; it ends by a message of that node. Those behind are looked at meanwhile: they
    /// let the owner know that it holds others up, and it may be silent.</summary>
    private static bool WaitsForOwnChange(RecordState record, in RequestState request) =>
        record.Owner.IsOpen && record.Owner.Session == request.Session;

    private static bool TryServe(RecordState record, in RequestState request, CapSet need, IRecordContext context)
    {
        Refusal refusal = record.Judge(request.Precondition);
        if (refusal != Refusal.None)
        {
            RecordReplies.Refuse(record, request.Session, request.RequestId, request.Cookie, refusal, context);
            return true;
        }

        if (WaitsForOwnChange(record, request))
        {
            return false;
        }

        bool raisesFence = false;
        if (record.IsUnsettled && request.Kind is RequestKind.Acquire or RequestKind.Load or RequestKind.Own)
        {
            UnsettledDecision unsettled = UnsettledDecision.Decide(record.UnsettledSince, context.Source, context.Terms, context.Now);
            if (unsettled.Step == UnsettledStep.Wait)
            {
                context.LookAgain(record, unsettled.Until);
                return false;
            }

            raisesFence = unsettled.Step == UnsettledStep.RaiseFence;
            record.IsUnsettled = raisesFence;
            need = raisesFence ? Rights.Exclusive : need;
        }

        CapSet others = CapSet.None;
        CapSet othersIssued = CapSet.None;
        foreach (Holder holder in record.Holders)
        {
            if (holder.State.Session != request.Session)
            {
                othersIssued |= holder.State.Issued;
            }
        }

        if (!record.Owner.IsOpen && ArbitrationDecision.AnswersAbsent(request.Kind, need, othersIssued, record.HasValue))
        {
            AuthorityMessage absent = RecordReplies.About(record, AuthorityMessageKind.Grant, context);
            RecordReplies.Address(ref absent, request.RequestId, request.Cookie);
            context.Owe(request.Session, ref absent);
            return true;
        }

        long lookAgain = long.MaxValue;
        long versionBefore = record.Version;
        bool isPatient = request.Kind == RequestKind.Load && !record.HasValue && !record.Owner.IsOpen;
        foreach (Holder holder in record.Holders)
        {
            if (holder.State.Session == request.Session)
            {
                continue;
            }

            HolderDecision step = Decide(holder, need, isPatient, context);
            if (step.Step == HolderStep.Take && !IsTold(holder, step.Keep))
            {
                // First it is told, then it is judged again: a renewal that came in between has been answered without the revoke, and shows in the
                // second view; one that comes later is answered with it, and cannot extend the lease before the revoke is taken in.
                Revoke(record, holder, step.Keep, context);
                step = Decide(holder, need, isPatient, context);
            }

            Carry(record, holder, step, context);
            others |= holder.State.Implemented;
            lookAgain = step.Step is HolderStep.Revoke or HolderStep.Wait ? Math.Min(lookAgain, step.SilentFrom) : lookAgain;
        }

        ArbitrationDecision decision = ArbitrationDecision.Decide(request.Kind, need, request.Want, others);
        if (decision.Outcome == ArbitrationOutcome.Wait)
        {
            context.LookAgain(record, lookAgain);
            return false;
        }

        if (record.Version != versionBefore)
        {
            // A buffer was taken: what the request expects may no longer be so, and the value's end is not put off any more. Bound: nobody buffers any more.
            record.EndValue(context);
            need = Rights.NeededFor(request.Kind, request.Need, record.HasValue);
            return TryServe(record, request, need, context);
        }

        if (record.Owner.IsOpen)
        {
            // Its right has just been taken, and it was silent on how its change ended: that may change what this request needs. Bound: one owner.
            record.EndOwner(context);
            return !record.Owner.IsOpen && TryServe(record, request, need, context);
        }

        Grant(record, request, decision.Granted, raisesFence, context);
        return true;
    }

    private static HolderDecision Decide(Holder holder, CapSet need, bool isPatient, IRecordContext context) =>
        HolderDecision.Decide(holder.State, need, isPatient, context.View(holder.State.Session), context.Terms, context.Now);

    /// <summary>Whether the last message about the cap was the revoke that leaves just these bits.</summary>
    private static bool IsTold(Holder holder, CapSet keep) =>
        keep == holder.State.Issued && holder.State.IssueSeq != IssueSeq.At(holder.State.Seq);

    private static void Carry(RecordState record, Holder holder, in HolderDecision step, IRecordContext context)
    {
        switch (step.Step)
        {
            case HolderStep.Revoke:
                Revoke(record, holder, step.Keep, context);
                break;
            case HolderStep.Take:
                if (!context.View(holder.State.Session).IsClosed)
                {
                    RecordFlushes.EndBuffer(record, holder, context);
                }

                holder.State.Implemented = holder.State.Issued;
                break;
            case HolderStep.Compatible:
            case HolderStep.Wait:
                break;
            default:
                throw new InvalidOperationException($"Unknown step {step.Step}.");
        }
    }

    private static void Revoke(RecordState record, Holder holder, CapSet keep, IRecordContext context)
    {
        // The lease is bounded by the first revoke that was not taken in, however many follow it.
        bool isBounded = !holder.State.Revoking.IsEmpty && !(context.View(holder.State.Session).TookIn >= holder.State.RevokeMessage);
        holder.State.Seq = holder.State.Seq.Next();
        holder.State.Issued = keep;
        AuthorityMessage revoke = RecordReplies.About(record, AuthorityMessageKind.Revoke, context);
        revoke.Cookie = holder.Cookie;
        revoke.Cap = holder.State.Cap;
        revoke.Seq = holder.State.Seq;
        revoke.Caps = keep;
        MessageSeq number = context.Owe(holder.State.Session, ref revoke);
        if (!isBounded)
        {
            // After the message has its place: every renewal received after this moment is answered with it.
            holder.State.RevokeMessage = number;
            holder.State.RevokeSentAt = context.Now;
        }
    }

    private static void Grant(RecordState record, in RequestState request, CapSet granted, bool raisesFence, IRecordContext context)
    {
        Holder holder = record.Find(request.Session) ?? Add(record, request.Session, context);
        holder.Cookie = request.Cookie;
        holder.State.Wanted = request.Want;
        AuthorityMessage reply = request.Kind switch
        {
            RequestKind.Write or RequestKind.Remove or RequestKind.Recall => ApplyChange(record, holder, request, granted, context),
            RequestKind.Own => MakeOwner(record, holder, request, raisesFence, context),
            _ when raisesFence => MakeOwner(record, holder, request, raisesFence, context),
            _ => RecordReplies.Issue(record, holder, AuthorityMessageKind.Grant, holder.State.Issued | granted, context),
        };
        if (reply.Kind == AuthorityMessageKind.Grant)
        {
            reply.Payload = record.Payload;
        }

        RecordReplies.Address(ref reply, request.RequestId, request.Cookie);
        context.Owe(request.Session, ref reply);
    }

    private static AuthorityMessage ApplyChange(
        RecordState record, Holder holder, in RequestState request, CapSet granted, IRecordContext context)
    {
        if (request.Kind != RequestKind.Recall)
        {
            CountYields(record, request.RequestId, request.Session);
            record.Change(request.Kind == RequestKind.Write, request.Payload, request.TimeToLive, context);
        }

        // Whoever waits behind a write would take the writer's right back at once: then it is not given. Nor is one that lets the source be read
        // before it is settled.
        bool isUseful = record.Requests.Count == 1 && !record.IsUnsettled;
        AuthorityMessage written = RecordReplies.Issue(record, holder, AuthorityMessageKind.Written, isUseful ? granted : CapSet.Pin, context);
        RecordFlushes.AddLimits(ref written, record, holder, request.Size, wantedSize: 0, context);
        return written;
    }

    private static AuthorityMessage MakeOwner(
        RecordState record, Holder holder, in RequestState request, bool raisesFence, IRecordContext context)
    {
        record.Fence = new Fence(context.Incarnation.After(record.Fence.Value));
        record.Owner = new OwnerState(request.Session, request.RequestId, holder.State.Cap, record.Fence);
        AuthorityMessage grant = RecordReplies.Issue(record, holder, AuthorityMessageKind.Grant, Rights.Exclusive | CapSet.Pin, context);
        grant.Fence = record.Fence;
        grant.IsUnsettled = raisesFence;
        return grant;
    }

    private static void CountYields(RecordState record, long requestId, SessionId session)
    {
        foreach (ref RequestState waiting in CollectionsMarshal.AsSpan(record.Requests))
        {
            if (waiting.RequestId == requestId && waiting.Session == session)
            {
                return;
            }

            waiting.Yielded++;
        }
    }

    private static Holder Add(RecordState record, SessionId session, IRecordContext context)
    {
        var holder = new Holder { State = { Session = session, Engine = context.EngineOf(session), Cap = context.NewCapId() } };
        record.Holders.Add(holder);
        return holder;
    }
}
