using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Codec;

/// <summary>The stored form of a message that a session is owed; its session and number are columns of their own.</summary>
internal static class MessageCodec
{
    private const byte Format = 2;

    public static byte[] Encode(in AuthorityMessage message)
    {
        var to = new ByteWriter();
        to.Byte(Format);
        to.Byte((byte)message.Kind);
        to.Int64(message.RequestId);
        to.Int64(message.Inode.Value);
        to.UInt64(message.Cookie);
        to.UInt64(message.Cap.Value);
        to.UInt32(message.Seq.Value);
        to.UInt32(message.Caps.Bits);
        to.Int64(message.Version);
        to.Flag(message.HasValue);
        to.Int64(message.TimeToLive);
        to.Int64(message.Fence.Value);
        to.Flag(message.IsUnsettled);
        to.Byte((byte)message.Refusal);
        to.UInt64(message.Tid.Value);
        to.Flag(message.IsDurable);
        to.Int64(message.VersionLimit);
        to.Int64(message.MaxSize);
        PayloadCodec.Write(to, message.Payload);
        return to.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are not a message.</exception>
    public static AuthorityMessage Decode(SessionId session, MessageSeq sequence, ReadOnlySpan<byte> bytes)
    {
        var from = new ByteReader(bytes);
        byte format = from.Byte();
        if (format != Format)
        {
            throw new InvalidDataException($"A message has format {format}; this version reads {Format}.");
        }

        var message = new AuthorityMessage
        {
            Session = session,
            Sequence = sequence,
            Kind = (AuthorityMessageKind)from.UpTo((byte)AuthorityMessageKind.SessionEnded),
            RequestId = from.Int64(),
            Inode = new InodeId(from.Int64()),
            Cookie = from.UInt64(),
            Cap = new CapId(from.UInt64()),
            Seq = new CapSeq(from.UInt32()),
            Caps = CapSet.FromBits(from.UInt32()),
            Version = from.Int64(),
            HasValue = from.Flag(),
            TimeToLive = from.Int64(),
            Fence = new Fence(from.Int64()),
            IsUnsettled = from.Flag(),
            Refusal = (Refusal)from.UpTo((byte)Refusal.VersionUnknown),
            Tid = new FlushTid(from.UInt64()),
            IsDurable = from.Flag(),
            VersionLimit = from.Int64(),
            MaxSize = from.Int64(),
            Payload = PayloadCodec.Read(ref from),
        };
        from.End();
        return message;
    }
}
