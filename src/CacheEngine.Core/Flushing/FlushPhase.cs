namespace CacheEngine.Flushing;

/// <summary>How far a flush record has come.</summary>
internal enum FlushPhase : byte
{
    /// <summary>Not sealed: later writes go into it.</summary>
    Open,

    /// <summary>Has its tid and never changes again; not sent in this session.</summary>
    Sealed,

    /// <summary>Sent in this session.</summary>
    Sent,

    /// <summary>The authority has applied it, and may still forget that it has.</summary>
    Applied,

    /// <summary>The authority has it for good.</summary>
    Durable,

    /// <summary>The right that it was made under is gone: it never takes effect.</summary>
    Lost,
}

/// <summary>What an acknowledgement changes.</summary>
internal static class AckDecision
{
    /// <summary>The phase after an acknowledgement of the given level. What was told twice, or late, changes nothing.</summary>
    public static FlushPhase After(FlushPhase phase, bool isDurable) =>
        phase is FlushPhase.Open or FlushPhase.Lost or FlushPhase.Durable ? phase
        : isDurable ? FlushPhase.Durable
        : FlushPhase.Applied;
}
