using CacheEngine.Protocol;

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

    /// <summary>How often a message sent now arrives. Zero: it is lost on the way, and a gap in the numbers shows it.</summary>
    public virtual int Copies(LinkDirection direction, string node) => 1;

    /// <summary>Whether a node's openings are refused now; it may try again.</summary>
    public virtual bool Refuses(string node) => false;

    /// <summary>Whether messages come through now; what is held back comes through later.</summary>
    public virtual bool IsOpen(LinkDirection direction, string node) => true;

    /// <summary>Whether messages to a node come through now, answers to renewals apart, which have a lane of their own.</summary>
    public virtual bool IsOpenForMessages(string node) => true;

    /// <summary>A node has sent this message, for traces; before any copy of it is on its way.</summary>
    public virtual void Posted(string node, in ClientMessage message)
    {
    }

    /// <summary>The authority takes this message in now, for traces.</summary>
    public virtual void TakenIn(string node, in ClientMessage message)
    {
    }

    /// <summary>A node takes this message in now, for traces.</summary>
    public virtual void Received(string node, in AuthorityMessage message)
    {
    }
}

/// <summary>Every message takes the same time.</summary>
internal sealed class FixedLatency(long milliseconds) : LinkPolicy
{
    /// <inheritdoc/>
    public override long Delay(LinkDirection direction, string node) => milliseconds;
}
