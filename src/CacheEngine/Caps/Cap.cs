using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Caps;

/// <summary>
/// One grant, by one authority, on one inode: the edge between an inode and a session. Pooled.
/// </summary>
/// <remarks>It embeds its one pending answer: answers are cumulative, so queueing a cap twice is queueing it once.</remarks>
internal sealed class Cap : OutboxEntry
{
    public Cap(int homeShard) => HomeShard = homeShard;

    /// <summary>The pool shard whose accounts this object is in, for its whole life.</summary>
    public int HomeShard { get; }

    /// <summary>The next free object of the pool shard; guarded by that shard's gate.</summary>
    public Cap? NextFree { get; set; }

    /// <summary>The inode this cap is on; null while it is in the pool. Set once per use, before the cap is seen by anybody else.</summary>
    public Inode? Inode { get; set; }

    /// <summary>Guarded by the inode's gate; reached only through <see cref="Inode.Hold"/>.</summary>
    public CapState State;

    /// <summary>Live local uses of the rights. Guarded by the inode's gate.</summary>
    public CapRefCounts Refs;

    /// <summary>The inode's id at the authority; zero until it is known. Written once per use under the inode's gate, read without it.</summary>
    public long InodeIdValue;

    /// <summary>What is going on with the inode, if anything is. Guarded by the inode's gate.</summary>
    public InodeActivity? Activity;

    /// <summary>The authority's version of what is known of the value. Guarded by the inode's gate; a hit reads it inside its version window.</summary>
    public long ValueVersion;

    /// <summary>Raised whenever a right or value is lost: names the right under which something was read or made. Guarded by the inode's gate.</summary>
    public uint Epoch;

    /// <summary>Guarded by the inode's gate.</summary>
    public ValueState ValueState;

    /// <summary>What this node keeps back of the object, once it has asked to. Guarded by the inode's gate.</summary>
    public InodeBuffer? Buffer;

    /// <summary>Whether the authority waits for an answer, or is to be told of a voluntary return. Guarded by the inode's gate.</summary>
    public bool AnswerDue;

    public override bool TryBuild(in Sending sending, out Protocol.ClientMessage message)
    {
        using Inode.Hold hold = Inode!.Enter();
        if (sending.IsCurrent && hold.HasUnsent())
        {
            // Queued before what was sealed since, and built only now: it would give up the right that the sealed record is to be taken in under. Behind it, then.
            message = default;
            sending.Outbox.Append(this, Inode.Cookie);
            return false;
        }

        return hold.TryTakeAnswer(out message);
    }
}
