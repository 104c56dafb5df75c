using CacheEngine.Arbitration;
using CacheEngine.Sessions;

namespace CacheEngine.Protocol;

/// <summary>Why a message cannot be taken: a whole message is judged before any of it is applied.</summary>
internal enum MessageFault : byte
{
    None,
    UnknownKind,
    OtherSession,
    OutOfOrder,
    NoSuchObject,
    UndefinedBits,
    MissingPayload,
    KeyTooLong,

    /// <summary>A field that this kind of message has no use for, or a value outside of its range.</summary>
    Inconsistent,

    /// <summary>It has been taken in before.</summary>
    Repeated,
}

/// <summary>The rules that every message meets before anything is applied.</summary>
internal static class MessageRules
{
    /// <summary>The longest key, in bytes of its canonical form.</summary>
    public const int MaxKeyBytes = 4096;

    public static MessageFault Judge(in ClientMessage message, SessionId session)
    {
        if (message.Kind is ClientMessageKind.None or > ClientMessageKind.Close)
        {
            return MessageFault.UnknownKind;
        }

        if (message.Session != session)
        {
            return MessageFault.OtherSession;
        }

        if (!CapSet.Any.Contains(message.Caps) || !CapSet.Any.Contains(message.Wanted))
        {
            return MessageFault.UndefinedBits;
        }

        bool isAboutObject = message.Kind is not
            (ClientMessageKind.Renew or ClientMessageKind.Close or ClientMessageKind.ClaimsDone or ClientMessageKind.Commit);
        if (isAboutObject && !message.Inode.IsKnown && message.Key.IsEmpty)
        {
            return MessageFault.NoSuchObject;
        }

        if (message.Key.Length > MaxKeyBytes)
        {
            return MessageFault.KeyTooLong;
        }

        bool needsPayload = message.Kind is ClientMessageKind.Write or ClientMessageKind.Fill;
        return needsPayload && message.Payload.Kind == PayloadKind.None ? MessageFault.MissingPayload
            : IsConsistent(message) ? MessageFault.None
            : MessageFault.Inconsistent;
    }

    /// <summary>A number that two different messages hardly share: tells a repetition from another message under the same number.</summary>
    public static ulong Fingerprint(in ClientMessage message)
    {
        ulong print = Mix((ulong)message.Kind, (ulong)message.RequestId);
        print = Mix(print, (ulong)message.Inode.Value);
        print = Mix(print, message.Cookie);
        print = Mix(print, message.Cap.Value);
        print = Mix(print, message.Seq.Value);
        print = Mix(print, ((ulong)message.Caps.Bits << 32) | message.Wanted.Bits);
        print = Mix(print, ((ulong)message.Precondition.Version << 1) | (message.Precondition.IsStated ? 1ul : 0));
        print = Mix(print, (ulong)message.Ownership.Fence.Value);
        print = Mix(print, (ulong)message.Ownership.Request);
        print = Mix(print, ((ulong)message.TimeToLive << 16) | ((ulong)message.Payload.Kind << 8) | (byte)message.Settlement);
        print = Mix(print, message.Tid.Value);
        print = Mix(print, (ulong)message.Version);
        print = Mix(print, ((ulong)message.WantedSize << 2) | (message.IsUrgent ? 2ul : 0) | (message.IsClean ? 1ul : 0));
        print = message.Key.IsEmpty ? print : Mix(print, Sample(message.Key.Span));
        return message.Payload.Kind == PayloadKind.Bytes ? Mix(print, Sample(message.Payload.Bytes.Span)) : print;
    }

    private static ulong Mix(ulong seed, ulong value) => (ulong.RotateLeft(seed, 23) ^ value) * 0x9E3779B97F4A7C15;

    /// <summary>The length and both ends of a value: enough to tell two apart, at a cost that does not grow with them.</summary>
    private static ulong Sample(ReadOnlySpan<byte> bytes)
    {
        const int Ends = 32;
        ulong print = (ulong)bytes.Length;
        foreach (byte b in bytes[..Math.Min(Ends, bytes.Length)])
        {
            print = Mix(print, b);
        }

        foreach (byte b in bytes[Math.Max(0, bytes.Length - Ends)..])
        {
            print = Mix(print, b);
        }

        return print;
    }

    private static bool IsConsistent(in ClientMessage message)
    {
        bool settles = message.Kind == ClientMessageKind.Settle;
        bool mayExpect = message.Kind is ClientMessageKind.Write or ClientMessageKind.Remove;
        bool flushes = message.Kind == ClientMessageKind.Flush;
        bool namesGrant = flushes || message.Kind == ClientMessageKind.Claim;
        return settles == message.Ownership.IsOpen
            && settles == (message.Settlement != Settlement.None)
            && message.Settlement <= Settlement.Unknown
            && (!settles || message.Payload.Kind == PayloadKind.None || message.Settlement == Settlement.Completed)
            && (mayExpect || !message.Precondition.IsStated)
            && message.Precondition.Version >= 0
            && message.TimeToLive >= 0
            && flushes == (message.Tid.Value != 0)
            && (!flushes || (message.Floor.Value != 0 && message.Floor <= message.Tid))
            && (!namesGrant || (message.Cap.Value != 0 && message.Inode.IsKnown))
            && (namesGrant ? message.Version >= 0 : message.Version == 0)
            && (!message.IsUrgent || flushes)
            && (!message.IsClean || message.Kind is ClientMessageKind.Close or ClientMessageKind.ClaimsDone)
            && message.Size >= 0
            && message.WantedSize >= 0;
    }

    public static MessageFault Judge(in AuthorityMessage message, SessionId session, MessageSeq tookIn)
    {
        if (message.Kind is AuthorityMessageKind.None or > AuthorityMessageKind.SessionEnded)
        {
            return MessageFault.UnknownKind;
        }

        if (message.Session != session)
        {
            return MessageFault.OtherSession;
        }

        bool isNumbered = message.Kind != AuthorityMessageKind.Renewed;
        if (isNumbered && message.Sequence != tookIn.Next())
        {
            return message.Sequence <= tookIn ? MessageFault.Repeated : MessageFault.OutOfOrder;
        }

        bool isAboutObject = message.Kind is not (AuthorityMessageKind.Renewed or AuthorityMessageKind.SessionEnded);
        if (isAboutObject && !message.Inode.IsKnown)
        {
            return MessageFault.NoSuchObject;
        }

        return !CapSet.Any.Contains(message.Caps) ? MessageFault.UndefinedBits
            : (message.Kind == AuthorityMessageKind.Flushed && message.Tid.Value == 0) || message.MaxSize < 0 ? MessageFault.Inconsistent
            : MessageFault.None;
    }
}
