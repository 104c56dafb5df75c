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

        bool isAboutObject = message.Kind is not (ClientMessageKind.Renew or ClientMessageKind.Close);
        if (isAboutObject && !message.Inode.IsKnown && message.Key.IsEmpty)
        {
            return MessageFault.NoSuchObject;
        }

        if (message.Key.Length > MaxKeyBytes)
        {
            return MessageFault.KeyTooLong;
        }

        bool needsPayload = message.Kind is ClientMessageKind.Write or ClientMessageKind.Fill;
        return needsPayload && message.Payload.Kind == PayloadKind.None ? MessageFault.MissingPayload : MessageFault.None;
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
            return MessageFault.OutOfOrder;
        }

        bool isAboutObject = message.Kind is not (AuthorityMessageKind.Renewed or AuthorityMessageKind.SessionEnded);
        if (isAboutObject && !message.Inode.IsKnown)
        {
            return MessageFault.NoSuchObject;
        }

        return CapSet.Any.Contains(message.Caps) ? MessageFault.None : MessageFault.UndefinedBits;
    }
}
