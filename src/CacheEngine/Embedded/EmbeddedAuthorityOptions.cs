namespace CacheEngine;

/// <summary>The terms of an <see cref="EmbeddedAuthority"/>; read once, when it is created.</summary>
public sealed class EmbeddedAuthorityOptions
{
    /// <summary>How long a right to serve lasts without renewal; also the longest time that a silent node delays a conflicting writer, beside the
    /// margin. Default five seconds.</summary>
    public TimeSpan LeaseTerm { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The largest difference of the clock <em>rates</em> of two nodes, as a share. Default 0.01, one per cent.</summary>
    public double ClockDrift { get; set; } = 0.01;

    /// <summary>How coarsely a clock reading may be off. Default 16 milliseconds, the tick of the coarsest common system.</summary>
    public TimeSpan ClockGranularity { get; set; } = TimeSpan.FromMilliseconds(16);

    /// <summary>After how long a silence a session is over. Null: five lease terms.</summary>
    public TimeSpan? SessionTimeout { get; set; }

    /// <summary>How long every message is under way, in each direction: makes one process behave like a cluster. Default zero.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>Whether values cross as bytes, as they would to a remote authority, instead of by reference. Then every cache needs a serializer.
    /// Default false.</summary>
    public bool CopyValues { get; set; }

    /// <summary>The clock. Default the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>How large values a node may buffer.</summary>
    internal Flushing.SizeQuota Quota { get; set; } = new(stepBytes: 1024 * 1024, ceilingBytes: 1024L * 1024 * 1024);

    /// <summary>How long a change may be under way to durability: a crash may forget it until then, and nobody is told of it before. Zero: no time at all.</summary>
    internal TimeSpan CommitDelay { get; set; }

    /// <summary>How links behave; null: every message takes <see cref="Latency"/>.</summary>
    internal Embedded.LinkPolicy? Links { get; set; }

    /// <summary>Which threads run pumps; null: those of the callers.</summary>
    internal Sync.PumpScheduler? Scheduler { get; set; }
}
