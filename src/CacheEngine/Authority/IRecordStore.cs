using CacheEngine.Inodes;
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

    /// <summary>A session is over: its requests and rights go.</summary>
    SessionGone,

    /// <summary>A session is cut off: its requests go, its rights last until they run out or the session is known to be over.</summary>
    SessionCut,
}

/// <summary>One event at one record.</summary>
internal readonly record struct RecordEvent(RecordEventKind Kind, SessionId Session, ClientMessage Message = default);

/// <summary>
/// The small contract that an authority asks of whatever keeps its records: four things, so that another store can take the place of memory.
/// </summary>
internal interface IRecordStore
{
    /// <summary>A value that changes whenever the store may have forgotten something.</summary>
    Arbitration.Incarnation Incarnation { get; }

    /// <summary>The doorbell: rung, with no lock held, when a session may be owed something. May be rung in vain; must not be relied on alone.</summary>
    Action<SessionId>? Doorbell { get; set; }

    /// <summary>The id of the object that a region's key names, bound for ever at its first mention, with the terms of its region.</summary>
    InodeId Bind(string region, in Arbitration.SourceTerms source, ReadOnlyMemory<byte> key);

    /// <summary>Applies an event to one record, atomically; what it makes sessions be owed is kept with it.</summary>
    /// <returns>False when there is no such record, or the session may not speak of it.</returns>
    bool TryTransit(InodeId id, in RecordEvent what, long now);

    /// <summary>Takes the next thing that a session is owed, in order.</summary>
    bool TryTakeOwed(SessionId session, long now, out AuthorityMessage message);
}
