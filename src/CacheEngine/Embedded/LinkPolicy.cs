namespace CacheEngine.Embedded;

/// <summary>The two directions of a session's link.</summary>
internal enum LinkDirection
{
    ToAuthority,
    ToNode,
}

/// <summary>How the embedded authority's links behave: what a network between node and authority would do.</summary>
internal abstract class LinkPolicy
{
    /// <summary>How long a message sent now is under way, in milliseconds. Order within a direction is kept whatever is answered.</summary>
    public abstract long Delay(LinkDirection direction, string node);

    /// <summary>How often a message sent now arrives, at least once.</summary>
    public virtual int Copies(LinkDirection direction, string node) => 1;

    /// <summary>Whether messages come through now; what is held back comes through later.</summary>
    public virtual bool IsOpen(LinkDirection direction, string node) => true;
}

/// <summary>Every message takes the same time.</summary>
internal sealed class FixedLatency(long milliseconds) : LinkPolicy
{
    /// <inheritdoc/>
    public override long Delay(LinkDirection direction, string node) => milliseconds;
}
