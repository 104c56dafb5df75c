namespace CacheEngine.Checking;

/// <summary>What a client did.</summary>
public enum EventKind : byte
{
    /// <summary>A value, or the absence of one, was seen.</summary>
    Read,

    /// <summary>A value was written, or the absence of one.</summary>
    Write,

    /// <summary>A factory made a value: it may have been stored from its start on, or never.</summary>
    Load,
}

/// <summary>One operation of a history, with the moments between which it took effect.</summary>
/// <param name="Kind">What was done.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The unique id of the value; <see cref="Absent"/> for none.</param>
/// <param name="Version">The authority's version; <see cref="Unversioned"/> if the client was not told.</param>
/// <param name="Call">When it was called. For a run of equal reads: when the last of them was.</param>
/// <param name="Return">When it returned, <see cref="Pending"/> if never. For a run of equal reads: when the first of them did.</param>
/// <param name="Client">Who did it, for the report.</param>
public readonly record struct HistoryEvent(EventKind Kind, int Key, long Value, long Version, long Call, long Return, int Client)
{
    public const long Absent = 0;
    public const long Unversioned = 0;
    public const long Pending = long.MaxValue;

    /// <summary>For an atomic update: the value that the new one was made of.</summary>
    public long? Base { get; init; }
}

/// <summary>A contradiction in a history.</summary>
/// <param name="Rule">Which rule is broken: <c>stale</c>, <c>went back</c>, <c>never written</c>, <c>from the future</c>, <c>split version</c>,
/// <c>write order</c>, <c>overtaken</c> or <c>lost update</c>.</param>
/// <param name="Key">The key.</param>
/// <param name="Detail">The operations that contradict each other.</param>
public sealed record Violation(string Rule, int Key, string Detail);
