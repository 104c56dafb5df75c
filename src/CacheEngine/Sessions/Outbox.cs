using System.Numerics;
using CacheEngine.Protocol;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>Something that owes a message. What it says is decided when it is sent, from the state of that moment.</summary>
internal abstract class OutboxEntry
{
    /// <summary>Guarded by the gate of the outbox shard.</summary>
    internal OutboxEntry? NextInOutbox;

    /// <summary>Guarded by the gate of the outbox shard.</summary>
    internal bool IsQueued;

    /// <summary>The outbox lets go of this entry and asks what it owes now. Called with no gate held.</summary>
    /// <returns>False when nothing is owed any more.</returns>
    public abstract bool TryBuild(in Sending sending, out ClientMessage message);

    /// <summary>The outbox took hold of this entry: it must not be reused before <see cref="TryBuild"/>. Called under the inode's gate.</summary>
    protected internal virtual void OnQueued()
    {
    }
}

/// <summary>
/// The debts of a node to its authority, as intrusive lists: appending cannot fail, wait or allocate. Bound: caps, inodes with an open question,
/// and writes in flight, each at most once.
/// </summary>
/// <remarks>Sharded by inode, since only the order within one inode means anything.</remarks>
internal sealed class Outbox
{
    private readonly Shard[] _shards;
    private int _next;

    public Outbox(int shards)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shards);
        _shards = new Shard[(int)BitOperations.RoundUpToPowerOf2((uint)shards)];
    }

    /// <summary>Queues an entry, once. Called under the gate of the inode it speaks of, so that queue order is decision order.</summary>
    public void Append(OutboxEntry entry, ulong cookie)
    {
        ref Shard shard = ref _shards[(int)(cookie & (uint)(_shards.Length - 1))];
        shard.Gate.Enter(LockLevel.Leaf);
        if (!entry.IsQueued)
        {
            entry.IsQueued = true;
            entry.OnQueued();
            entry.NextInOutbox = null;
            if (shard.Tail is null)
            {
                // Edge OUTBOX-1 (plain, made visible by the gate's release and the wake that follows; other end: OUTBOX-2).
                shard.Head = entry;
            }
            else
            {
                shard.Tail.NextInOutbox = entry;
            }

            shard.Tail = entry;
        }

        shard.Gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Takes the next entry, shards in turn. Single consumer, which then calls <see cref="OutboxEntry.TryBuild"/>.</summary>
    public bool TryTake(out OutboxEntry? entry)
    {
        for (int tried = 0; tried < _shards.Length; tried++)
        {
            ref Shard shard = ref _shards[_next];
            _next = (_next + 1) & (_shards.Length - 1);

            // Edge OUTBOX-2 (acquire; other end: OUTBOX-1): spares the gate. A stale null costs nothing: whoever appends wakes the pump after.
            if (Volatile.Read(ref shard.Head) is null)
            {
                continue;
            }

            shard.Gate.Enter(LockLevel.Leaf);
            entry = shard.Head;
            if (entry is not null)
            {
                shard.Head = entry.NextInOutbox;
                shard.Tail = shard.Head is null ? null : shard.Tail;
                entry.NextInOutbox = null;
                entry.IsQueued = false;
            }

            shard.Gate.Leave(LockLevel.Leaf);
            if (entry is not null)
            {
                return true;
            }
        }

        entry = null;
        return false;
    }

    private struct Shard
    {
        public SpinGate Gate;
        public OutboxEntry? Head;
        public OutboxEntry? Tail;
    }
}
