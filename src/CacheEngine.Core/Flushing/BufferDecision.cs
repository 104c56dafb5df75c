using CacheEngine.Arbitration;

namespace CacheEngine.Flushing;

/// <summary>What becomes of a write that its caller wants buffered.</summary>
internal enum BufferStep : byte
{
    /// <summary>It is this node's own until it is flushed.</summary>
    Buffer,

    /// <summary>It goes through to the authority, and asks for the right to buffer the next one.</summary>
    WriteThrough,

    /// <summary>It is larger than the authority lets this node buffer; more has been or must be asked for.</summary>
    AwaitRoom,
}

/// <summary>Whether a write may be buffered: only by the one node that holds the object alone, within what it was given.</summary>
internal static class BufferDecision
{
    /// <param name="issued">The usable rights; none without a lease.</param>
    /// <param name="isBusy">Whether a change or a question of this node is under way: then nothing here is known for sure.</param>
    /// <param name="version">The version that the write would get, or its end if it has one.</param>
    /// <param name="versionLimit">The last version that this node may give.</param>
    /// <param name="size">The value's size in bytes.</param>
    /// <param name="maxSize">The largest size that this node may buffer here.</param>
    /// <param name="isLimitFinal">Whether the authority was asked for more and gave no more.</param>
    public static BufferStep Decide(CapSet issued, bool isBusy, long version, long versionLimit, long size, long maxSize, bool isLimitFinal) =>
        isBusy || !issued.Contains(Rights.Buffered) || version > versionLimit ? BufferStep.WriteThrough
        : size <= maxSize ? BufferStep.Buffer
        : isLimitFinal ? BufferStep.WriteThrough
        : BufferStep.AwaitRoom;
}
