using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>The messages that a record's changes make sessions be owed.</summary>
internal static class RecordReplies
{
    public static AuthorityMessage Issue(RecordState record, Holder holder, AuthorityMessageKind kind, CapSet caps, IRecordContext context)
    {
        ref HolderState state = ref holder.State;
        state.Seq = state.Seq.Next();

        // Every issue counts, also one that adds nothing: the node may just have given these bits back, and that message crosses this one.
        state.IssueSeq = IssueSeq.At(state.Seq);
        state.Issued = caps;
        state.Implemented |= caps;
        if (kind == AuthorityMessageKind.Written)
        {
            // The writer gave everything else up with its message.
            state.Implemented = caps;
        }

        AuthorityMessage message = About(record, kind, context);
        message.Cap = state.Cap;
        message.Seq = state.Seq;
        message.Caps = caps;
        return message;
    }

    public static AuthorityMessage About(RecordState record, AuthorityMessageKind kind, IRecordContext context) => new()
    {
        Kind = kind,
        Inode = record.Id,
        Version = record.Version,
        HasValue = record.HasValue,
        TimeToLive = record.ExpiresAt == long.MaxValue ? 0 : Math.Max(1, record.ExpiresAt - context.Now),
    };

    public static void Address(ref AuthorityMessage message, long requestId, ulong cookie)
    {
        message.RequestId = requestId;
        message.Cookie = cookie;
    }

    /// <summary>Owes a session the acknowledgement of a flush: at once that it was applied, if the authority may still forget that, and when it cannot any more.</summary>
    public static void Acknowledge(RecordState record, SessionId session, in ClientMessage flush, IRecordContext context)
    {
        AuthorityMessage reply = About(record, AuthorityMessageKind.Flushed, context);
        reply.Tid = flush.Tid;
        reply.VersionLimit = record.VersionLimit;
        Address(ref reply, 0, flush.Cookie);
        if (context.IsVolatile)
        {
            context.Owe(session, ref reply);
        }

        reply.IsDurable = true;
        context.Owe(session, ref reply);
    }

    /// <summary>Owes a session the answer that a flush never takes effect.</summary>
    public static void RefuseFlush(RecordState record, SessionId session, in ClientMessage flush, IRecordContext context)
    {
        AuthorityMessage reply = About(record, AuthorityMessageKind.Refused, context);
        reply.Tid = flush.Tid;
        reply.Refusal = Refusal.RightLost;
        Address(ref reply, 0, flush.Cookie);
        context.Owe(session, ref reply);
    }

    /// <summary>Owes a session the answer that nothing was changed, with the version that stands.</summary>
    public static void Refuse(
        RecordState record, SessionId session, long requestId, ulong cookie, Refusal refusal, IRecordContext context)
    {
        AuthorityMessage reply = About(record, AuthorityMessageKind.Refused, context);
        reply.Refusal = refusal;
        Address(ref reply, requestId, cookie);
        context.Owe(session, ref reply);
    }
}
