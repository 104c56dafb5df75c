namespace CacheEngine.Load.Judging;

/// <summary>What a threshold is about.</summary>
public enum LoadMetric
{
    /// <summary>Operations with a stale read.</summary>
    Stale,

    /// <summary>Operations that failed in another way, or did not end.</summary>
    Failed,

    /// <summary>Arrivals that found too many operations under way and were turned away.</summary>
    Shed,

    /// <summary>Messages that the authority refused.</summary>
    RefusedMessages,

    /// <summary>Operations that ended in a second, as a share of those that arrived in one.</summary>
    AchievedShare,

    /// <summary>The latency, from the intended start, that one operation in two does not pass; milliseconds.</summary>
    P50,

    /// <summary>The same of 99 operations in a hundred.</summary>
    P99,

    /// <summary>The same of 999 operations in a thousand.</summary>
    P999,
}
