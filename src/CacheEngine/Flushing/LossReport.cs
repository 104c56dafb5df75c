namespace CacheEngine;

/// <summary>Why buffered writes were lost.</summary>
public enum LossReason
{
    /// <summary>The authority took this node's right before it had the writes: the node was silent for too long, was evicted, or its authority had to start without it.</summary>
    RightLost,

    /// <summary>The cache was disposed and could not flush in time.</summary>
    Stopped,

    /// <summary>The cache was reset and could not flush in time.</summary>
    Reset,
}

/// <summary>Writes of one object that were buffered by this node and never take effect at the authority.</summary>
/// <param name="Key">The object's key.</param>
/// <param name="Rights">What they had changed, as the protocol writes it: <c>Fw</c>, the value.</param>
/// <param name="FlushTid">The number of the flush that carried them.</param>
/// <param name="FirstVersion">The version of the first of them.</param>
/// <param name="LastVersion">The version of the last of them; the versions in between are lost too, however many were written over before they were flushed.</param>
/// <param name="Reason">Why.</param>
public sealed record LossReport(object Key, string Rights, long FlushTid, long FirstVersion, long LastVersion, LossReason Reason);

/// <summary>Writes that were lost.</summary>
public sealed class WritesLostEventArgs : EventArgs
{
    /// <summary>Creates the arguments.</summary>
    public WritesLostEventArgs(LossReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        Report = report;
    }

    /// <summary>What was lost.</summary>
    public LossReport Report { get; }
}
