namespace CacheEngine.Arbitration;

/// <summary>What all nodes of a region agree on about the application's own source of values.</summary>
/// <param name="IsAtSource">Whether values live there. If not, the rest means nothing.</param>
/// <param name="RaisesFence">Whether a node can make the source refuse older fences.</param>
/// <param name="MaxWriteMilliseconds">How long after the end of its right a write may still take effect at the source; zero: not stated.</param>
internal readonly record struct SourceTerms(bool IsAtSource, bool RaisesFence, long MaxWriteMilliseconds)
{
    /// <summary>Whether a right may be given to write at the source: its end must be something that can be waited for, or made certain.</summary>
    public bool AllowsWrites => IsAtSource && (RaisesFence || MaxWriteMilliseconds > 0);
}

/// <summary>What a request meets at an object whose last writer may still be writing at the source.</summary>
internal enum UnsettledStep : byte
{
    /// <summary>Nothing: the object is settled, now at the latest.</summary>
    Settled,

    /// <summary>The right is given alone, with a new fence, and its holder raises that fence at the source before anything is read there.</summary>
    RaiseFence,

    /// <summary>No right is given before the time that the step names.</summary>
    Wait,
}

/// <summary>
/// When rights may be given again on an object whose exclusive right ended otherwise than by its holder's word.
/// </summary>
/// <remarks>
/// A fence that is checked only by writes does not protect readers: the last holder may be stalled inside its own write, another node may load the old row, and
/// then the write takes effect.
/// </remarks>
internal readonly record struct UnsettledDecision(UnsettledStep Step, long Until)
{
    /// <param name="since">When the right ended, on the authority's clock.</param>
    /// <param name="source">The region's terms.</param>
    /// <param name="lease">The lease terms, for the clocks' difference.</param>
    /// <param name="now">The authority's clock.</param>
    public static UnsettledDecision Decide(long since, in SourceTerms source, in Sessions.LeaseTerms lease, long now)
    {
        if (source.RaisesFence)
        {
            return new UnsettledDecision(UnsettledStep.RaiseFence, long.MaxValue);
        }

        long until = since + lease.AtMostElsewhere(source.MaxWriteMilliseconds);
        return now >= until
            ? new UnsettledDecision(UnsettledStep.Settled, long.MaxValue)
            : new UnsettledDecision(UnsettledStep.Wait, until);
    }
}
