using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>
/// What an inode needs once its node has asked to keep writes back: how far it may go on its own, what is dirty, and what is being flushed.
/// </summary>
/// <remarks>Guarded by the inode's gate. Made with the first write that asks for it, and kept.</remarks>
internal sealed class InodeBuffer
{
    /// <summary>The open record; null: nothing is dirty.</summary>
    public FlushRecord? Dirty;

    /// <summary>The sealed records that are not durable, oldest first.</summary>
    public FlushList Flushing;

    /// <summary>The last version that this node may give.</summary>
    public long VersionLimit;

    /// <summary>Whether the last write that was buffered ends by itself.</summary>
    public bool HasEnd;

    /// <summary>The largest value in bytes that this node may keep back.</summary>
    public long MaxSize;

    /// <summary>The limit that was wished for and is not answered; zero: none.</summary>
    public long WantedSize;

    /// <summary>The size that the authority was told last.</summary>
    public long ReportedSize;

    /// <summary>Whether the last wish was answered with less.</summary>
    public bool IsLimitFinal;

    /// <summary>Callers whose value is larger than <see cref="MaxSize"/>.</summary>
    public OperationList RoomWaiters;

    public bool IsClean => Dirty is null && Flushing.IsEmpty;
}
