using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Protocol;

/// <summary>What an authority says to a node.</summary>
internal enum AuthorityMessageKind : byte
{
    None,

    /// <summary>The answer to a renewal. Travels in a lane of its own.</summary>
    Renewed,

    /// <summary>The answer to an acquire or a load: value and right in one message.</summary>
    Grant,

    /// <summary>Bits are taken back; an answer is owed.</summary>
    Revoke,

    /// <summary>A write, remove, fill, settlement or recall has been applied, and no other session can serve an older value.</summary>
    Written,

    /// <summary>A request was refused, for <see cref="AuthorityMessage.Refusal"/>. Nothing was changed.</summary>
    Refused,

    /// <summary>A flush record has been applied.</summary>
    Flushed,

    /// <summary>How a grant stands: the answer to a claim, whose rest may be nothing, or to the wish for a larger limit.</summary>
    Standing,

    /// <summary>The session is over and so is every right under it.</summary>
    SessionEnded,
}

/// <summary>One message of a session from authority to node. Unused fields are default.</summary>
internal struct AuthorityMessage
{
    public AuthorityMessageKind Kind;

    /// <summary>The session this is about; a message for another session is ignored whole.</summary>
    public SessionId Session;

    /// <summary>The authority's number of this message; without gaps.</summary>
    public MessageSeq Sequence;

    public RenewSeq Renew;

    /// <summary>For <see cref="AuthorityMessageKind.Renewed"/>: the last message sent before the renewal was answered. The lease is extended
    /// only when all of them have been taken in.</summary>
    public MessageSeq OwedThrough;

    public long RequestId;
    public InodeId Inode;
    public ulong Cookie;
    public CapId Cap;
    public CapSeq Seq;
    public CapSet Caps;
    public long Version;
    public bool HasValue;

    /// <summary>How many milliseconds were left to the value when the message was made; zero: it does not end.</summary>
    public long TimeToLive;

    /// <summary>For a grant that makes its node the owner: the number to write with; else none.</summary>
    public Fence Fence;

    /// <summary>For a grant that makes its node the owner: the fence must be raised at the source before anything is read there.</summary>
    public bool IsUnsettled;

    /// <summary>For <see cref="AuthorityMessageKind.Refused"/>.</summary>
    public Refusal Refusal;

    /// <summary>For <see cref="AuthorityMessageKind.Flushed"/>, and for a flush that was refused: which.</summary>
    public FlushTid Tid;

    /// <summary>For <see cref="AuthorityMessageKind.Flushed"/>: whether the authority can no longer forget it.</summary>
    public bool IsDurable;

    /// <summary>With the right to buffer: the last version that its holder may give.</summary>
    public long VersionLimit;

    /// <summary>With the right to buffer: the largest value in bytes that its holder may keep back.</summary>
    public long MaxSize;

    public Payload Payload;

    public override readonly string ToString() =>
        $"{Kind} #{Sequence.Value} i{Inode.Value} request {RequestId} cap {Cap.Value} seq {Seq.Value} caps {Caps} version {Version}";
}
