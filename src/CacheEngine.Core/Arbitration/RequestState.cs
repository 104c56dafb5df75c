using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Arbitration;

/// <summary>What a session asks of one object.</summary>
internal enum RequestKind : byte
{
    /// <summary>Rights, and the value with them.</summary>
    Acquire,

    /// <summary>The value with shared rights if there is one, else the exclusive right to make it: the loader's election.</summary>
    Load,

    /// <summary>A new value, acknowledged when no other session can serve the old one.</summary>
    Write,

    /// <summary>Like <see cref="Write"/>, leaving no value.</summary>
    Remove,

    /// <summary>The exclusive right to change the object, with the value and a fence, until its holder says how that ended.</summary>
    Own,

    /// <summary>All rights of all sessions back, the asker's own too; the value stays.</summary>
    Recall,
}

/// <summary>One request that waits its turn at an object. Requests are served strictly in order of arrival.</summary>
internal struct RequestState
{
    public SessionId Session;
    public long RequestId;
    public RequestKind Kind;
    public CapSet Need;
    public CapSet Want;
    public ulong Cookie;

    /// <summary>How many writes have been served before this load although they came after it.</summary>
    public int Yielded;

    public Precondition Precondition;
    public long TimeToLive;

    /// <summary>For a write: the value's size in bytes.</summary>
    public long Size;

    public Payload Payload;
}

/// <summary>The rights that requests turn on.</summary>
internal static class Rights
{
    /// <summary>What serving a value from memory takes.</summary>
    public static readonly CapSet Serve = CapSet.AnyFileRead;

    /// <summary>What makes a session the only one that may make or change the value.</summary>
    public static readonly CapSet Exclusive = CapSet.Parse("Fsxcrw");

    /// <summary>What a session needs to keep writes back: to be alone, and to buffer.</summary>
    public static readonly CapSet Buffered = Exclusive | CapSet.FileBuffer;

    /// <summary>What a session keeps of its rights when it sends a write, and what it is given when the write is applied.</summary>
    public static readonly CapSet AfterWrite = Serve | CapSet.Pin;

    /// <summary>Whether a session that holds these bits is making the first value: alone, and not because it keeps writes back.</summary>
    public static bool IsLoading(CapSet issued) => issued.Overlaps(CapSet.FileExcl) && !issued.Overlaps(CapSet.FileBuffer);

    /// <summary>What a request may be given beyond its need: a write may ask to keep the next ones back, nothing else asks for more than to serve.</summary>
    public static CapSet WantedBy(RequestKind kind, CapSet wanted) =>
        kind == RequestKind.Write && wanted.Contains(Buffered) ? Buffered | CapSet.Pin : AfterWrite;

    /// <summary>The rights that must be grantable before the request can be served.</summary>
    public static CapSet NeededFor(RequestKind kind, CapSet need, bool hasValue) => kind switch
    {
        RequestKind.Acquire => need,
        RequestKind.Load => hasValue ? Serve : Exclusive,
        RequestKind.Write or RequestKind.Remove or RequestKind.Own or RequestKind.Recall => Exclusive,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a request."),
    };
}
