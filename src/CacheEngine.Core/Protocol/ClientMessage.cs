using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Protocol;

/// <summary>What a node says to its authority.</summary>
internal enum ClientMessageKind : byte
{
    None,

    /// <summary>Extend the lease. Travels in a lane of its own.</summary>
    Renew,

    /// <summary>A request of <see cref="Arbitration.RequestKind.Acquire"/>.</summary>
    Acquire,

    /// <summary>A request of <see cref="Arbitration.RequestKind.Load"/>.</summary>
    Load,

    /// <summary>A request of <see cref="Arbitration.RequestKind.Write"/>.</summary>
    Write,

    /// <summary>A request of <see cref="Arbitration.RequestKind.Remove"/>.</summary>
    Remove,

    /// <summary>A request of <see cref="Arbitration.RequestKind.Own"/>.</summary>
    Own,

    /// <summary>A request of <see cref="Arbitration.RequestKind.Recall"/>.</summary>
    Recall,

    /// <summary>An owner says how its change ended; a value that comes with it is stored.</summary>
    Settle,

    /// <summary>The elected loader's value: stored only while its exclusive right still stands.</summary>
    Fill,

    /// <summary>The bits still retained on a cap: the answer to every revoke up to its sequence number, or a voluntary return.</summary>
    CapUpdate,

    /// <summary>The whole cap is given up, or was never known.</summary>
    Release,

    /// <summary>A sealed flush record: the value that a buffering holder has made, under its tid. Without a value: it has come to its end.</summary>
    Flush,

    /// <summary>What the sender still has of a grant that it held under an earlier session.</summary>
    Claim,

    /// <summary>The sender has claimed all that it wants: every other right of its earlier sessions is over.</summary>
    ClaimsDone,

    /// <summary>What was flushed is to become durable now.</summary>
    Commit,

    /// <summary>The session ends.</summary>
    Close,
}

/// <summary>One message of a session from node to authority. Unused fields are default.</summary>
internal struct ClientMessage
{
    public ClientMessageKind Kind;

    /// <summary>The session this is about; a message for another session is refused whole.</summary>
    public SessionId Session;

    /// <summary>The sender's number of this message.</summary>
    public MessageSeq Sequence;

    /// <summary>Every authority message up to this one has been taken in.</summary>
    public MessageSeq TookIn;

    /// <summary>The smallest flush tid of the sender's whole engine that is not acknowledged as durable; zero: none. In every message.</summary>
    public FlushTid Floor;

    public RenewSeq Renew;

    /// <summary>Chosen by the node, echoed in the reply.</summary>
    public long RequestId;

    /// <summary>The object; unknown in a node's first request for a key, which then carries the key's bytes.</summary>
    public InodeId Inode;

    public ReadOnlyMemory<byte> Key;

    /// <summary>What the authority repeats in every message about the object, so that the node finds it again without an index of its own.</summary>
    public ulong Cookie;

    public CapId Cap;
    public CapSeq Seq;
    public CapSet Caps;
    public CapSet Wanted;

    /// <summary>For a write or remove: the version it expects.</summary>
    public Precondition Precondition;

    /// <summary>For <see cref="ClientMessageKind.Settle"/>: whose right it speaks of.</summary>
    public Ownership Ownership;

    /// <summary>For <see cref="ClientMessageKind.Settle"/>: how it ended.</summary>
    public Settlement Settlement;

    /// <summary>How many milliseconds after it is applied a value ends; zero: never.</summary>
    public long TimeToLive;

    /// <summary>For a flush: its tid.</summary>
    public FlushTid Tid;

    /// <summary>For a flush: the version that its value has got from the sender, or the end of it, which is one more. For a claim: of the value that the sender knows.</summary>
    public long Version;

    /// <summary>For a flush: somebody waits for it to become durable.</summary>
    public bool IsUrgent;

    /// <summary>For a close: nothing that was buffered is left unflushed. For the end of claims: nothing that was ever buffered was given up.</summary>
    public bool IsClean;

    /// <summary>For a flush or write: the value's size in bytes, as far as the sender's limit goes by it.</summary>
    public long Size;

    /// <summary>The largest size that the sender wishes to buffer here; zero: it has no wish.</summary>
    public long WantedSize;

    public Payload Payload;

    public override readonly string ToString() =>
        $"{Kind} #{Sequence.Value} i{Inode.Value} request {RequestId} cap {Cap.Value} seq {Seq.Value} caps {Caps} wanted {Wanted} tid {Tid} floor {Floor}";
}
