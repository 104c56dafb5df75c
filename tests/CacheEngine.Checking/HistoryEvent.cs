namespace CacheEngine.Checking;

/// <summary>What a client did, or what was done to its writes.</summary>
public enum EventKind : byte
{
    /// <summary>A value, or the absence of one, was seen.</summary>
    Read,

    /// <summary>A value was written, or the absence of one.</summary>
    Write,

    /// <summary>A factory made a value: it may have been stored from its start on, or never.</summary>
    Load,

    /// <summary>
    /// The authority took the right of a node that wrote into its buffer, and gave the last value that it had a new version. The versions between
    /// <see cref="HistoryEvent.LostAfter"/> and the new one are undone.
    /// </summary>
    Restore,

    /// <summary>The authority acknowledged that it has every version of a key up to this one. Neither a read nor a write.</summary>
    Flush,
}

/// <summary>One operation of a history, with the moments between which it took effect.</summary>
/// <param name="Kind">What was done.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The unique id of the value; <see cref="Absent"/> for none, and for a flush.</param>
/// <param name="Version">The authority's version; <see cref="Unversioned"/> if the client was not told.</param>
/// <param name="Call">When it was called. For a run of equal reads: when the last of them was.</param>
/// <param name="Return">When it returned, <see cref="Pending"/> if never. For a run of equal reads: when the first of them did.</param>
/// <param name="Client">Who did it, for the report; <see cref="Nobody"/> for what no client did.</param>
public readonly record struct HistoryEvent(EventKind Kind, int Key, long Value, long Version, long Call, long Return, int Client)
{
    public const long Absent = 0;
    public const long Unversioned = 0;
    public const long Pending = long.MaxValue;
    public const int Nobody = -1;

    /// <summary>For an atomic update: the value that the new one was made of.</summary>
    public long? Base { get; init; }

    /// <summary>
    /// For a restore: the version of the last write, or earlier restore, that was kept; its value is the one that was restored.
    /// <see cref="Unversioned"/> if none was kept: then absence was restored.
    /// </summary>
    public long LostAfter { get; init; }

    /// <summary>
    /// For a write: since when nothing may undo it. That is its return for a write through, and <see cref="Pending"/> for one into a buffer, as long
    /// as no <see cref="EventKind.Flush"/> says otherwise.
    /// </summary>
    public long DurableAt { get; init; } = Return;

    /// <summary>Through which node it was done: the number of the client where none was given.</summary>
    public int Node { get; init; } = Client;
}

/// <summary>A contradiction in a history.</summary>
/// <param name="Rule">Which rule is broken. <see cref="IntervalChecker"/> knows <c>stale</c>, <c>resurrected</c>, <c>went back</c>, <c>never written</c>,
/// <c>from the future</c>, <c>split version</c>, <c>write order</c>, <c>overtaken</c>, <c>lost update</c> and <c>lost write</c>;
/// <see cref="LossChecker"/> knows <c>loss not told</c> and <c>loss told in vain</c>.</param>
/// <param name="Key">The key.</param>
/// <param name="Detail">The operations that contradict each other.</param>
public sealed record Violation(string Rule, int Key, string Detail);
