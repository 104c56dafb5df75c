using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>
/// What a record does with holders that buffer: takes their flushes in, once each; lets them have their grants again after a break; and when a buffering holder is
/// gone without a word, gives the last value that came a version of its own.
/// </summary>
/// <remarks>
/// The holder of the right to buffer is alone with the object, so it gives versions itself, up to a limit that the authority tells it. If it is gone, versions up to
/// that limit may have been seen by its own callers: the value that stands gets a greater one. So no version ever names two values, and none goes back.
/// </remarks>
internal static class RecordFlushes
{
    /// <summary>How many versions a buffering holder may give between two flushes.</summary>
    public const long VersionsPerGrant = 1 << 24;

    /// <summary>Of how many engines a record remembers the last flush. One that is forgotten and comes again is refused, and its node reports as lost
    /// what was not.</summary>
    public const int MaxEngines = 16;

    public static void Flush(RecordState record, SessionId session, in ClientMessage message, IRecordContext context)
    {
        EngineId engine = context.EngineOf(session);
        Holder? holder = record.Find(session) ?? FindEarlier(record, session, message.Cap, context);
        FlushStep step = FlushDecision.Decide(
            message.Tid,
            LastApplied(record, engine),
            holder is not null && holder.State.Cap == message.Cap,
            holder?.State.Implemented ?? CapSet.None,
            message.Version,
            record.Version,
            record.VersionLimit);
        if (step == FlushStep.Refuse)
        {
            RecordReplies.RefuseFlush(record, session, message, context);
            return;
        }

        if (step == FlushStep.Apply)
        {
            record.Take(message.Version, message.Payload, message.TimeToLive, context);
            record.VersionLimit = message.Version + VersionsPerGrant;
            NoteApplied(record, engine, message.Tid);
        }

        RecordReplies.Acknowledge(record, session, message, context);
    }

    /// <summary>An engine says what it still has of a grant of an earlier session of its own.</summary>
    public static void Claim(RecordState record, SessionId session, in ClientMessage message, IRecordContext context)
    {
        Holder? holder = record.Find(session) ?? FindEarlier(record, session, message.Cap, context);
        bool isHeld = holder is not null && holder.State.Cap == message.Cap && holder.State.Session != session;
        ReclaimDecision decision = ReclaimDecision.Decide(isHeld, holder?.State.Implemented ?? CapSet.None, message.Caps);
        AuthorityMessage reply = RecordReplies.About(record, AuthorityMessageKind.Standing, context);
        if (!decision.IsAccepted)
        {
            reply.Cap = message.Cap;
        }
        else
        {
            holder!.State.Session = session;
            holder.State.Implemented = decision.Caps;
            holder.Cookie = message.Cookie;
            reply = RecordReplies.Issue(record, holder, AuthorityMessageKind.Standing, decision.Caps, context);
            AddLimits(ref reply, record, holder, message.Size, message.WantedSize, context);
            context.Touched(record, session);
        }

        RecordReplies.Address(ref reply, message.RequestId, message.Cookie);
        context.Owe(session, ref reply);
    }

    /// <summary>A buffering holder wishes to keep larger values back.</summary>
    public static void GiveRoom(RecordState record, Holder holder, in ClientMessage message, IRecordContext context)
    {
        if (message.WantedSize > 0 && holder.State.Issued.Contains(CapSet.FileBuffer))
        {
            AuthorityMessage reply = RecordReplies.Issue(record, holder, AuthorityMessageKind.Standing, holder.State.Issued, context);
            AddLimits(ref reply, record, holder, message.Size, message.WantedSize, context);
            RecordReplies.Address(ref reply, 0, message.Cookie);
            context.Owe(holder.State.Session, ref reply);
        }
    }

    /// <summary>Tells a holder how far it may go on its own, if it may.</summary>
    public static void AddLimits(
        ref AuthorityMessage message, RecordState record, Holder holder, long size, long wantedSize, IRecordContext context)
    {
        if (holder.State.Issued.Contains(CapSet.FileBuffer))
        {
            record.VersionLimit = Math.Max(record.VersionLimit, record.Version + VersionsPerGrant);
            message.VersionLimit = record.VersionLimit;
            message.MaxSize = context.Quota.Limit(size, wantedSize);
        }
    }

    /// <summary>The holder's rights end without its word. What it may have buffered is undone: the value that stands gets a version that was never seen.</summary>
    public static void EndBuffer(RecordState record, Holder holder, IRecordContext context)
    {
        if (!holder.State.Implemented.Contains(CapSet.FileBuffer))
        {
            return;
        }

        long kept = record.Version;
        record.Version = context.Incarnation.After(Math.Max(record.Version, record.VersionLimit));
        record.VersionLimit = 0;
        context.BufferTaken(record, holder.State.Session, kept);
    }

    /// <summary>The grant that the session's engine holds under an earlier session, unless that one was evicted.</summary>
    private static Holder? FindEarlier(RecordState record, SessionId session, CapId cap, IRecordContext context) =>
        record.FindEarlier(context.EngineOf(session), cap, session) is { } holder && !context.View(holder.State.Session).IsEvicted ? holder : null;

    private static FlushTid LastApplied(RecordState record, EngineId engine)
    {
        foreach (AppliedFlush applied in record.Applied)
        {
            if (applied.Engine == engine)
            {
                return applied.Tid;
            }
        }

        return default;
    }

    private static void NoteApplied(RecordState record, EngineId engine, FlushTid tid)
    {
        // The one that flushed last stands last: if there are too many, the one that has been away longest is forgotten.
        int superseded = record.Applied.Count == MaxEngines ? 0 : -1;
        for (int i = 0; i < record.Applied.Count; i++)
        {
            superseded = record.Applied[i].Engine == engine ? i : superseded;
        }

        if (superseded >= 0)
        {
            record.Applied.RemoveAt(superseded);
        }

        record.Applied.Add(new AppliedFlush(engine, tid));
    }
}
