using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>What happened to one object's record.</summary>
internal enum RecordEventKind : byte
{
    /// <summary>A session's message about the object.</summary>
    Message,

    /// <summary>Time has passed: a holder may be silent by now.</summary>
    TimePassed,

    /// <summary>A session is over, without a word of its node: its requests and rights go, and what it had buffered.</summary>
    SessionGone,

    /// <summary>A session is over by its node's own word: its requests and rights go, and it had nothing buffered any more.</summary>
    SessionClosed,

    /// <summary>A session is cut off by an operator: as below, and what it holds cannot be claimed.</summary>
    SessionEvicted,

    /// <summary>A session is cut off: its requests go, its rights last until they run out or the session is known to be over.</summary>
    SessionCut,
}

/// <summary>One event at one record.</summary>
internal readonly record struct RecordEvent(RecordEventKind Kind, SessionId Session, ClientMessage Message = default);
