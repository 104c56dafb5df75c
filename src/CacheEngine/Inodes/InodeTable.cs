using System.Runtime.CompilerServices;
using CacheEngine.Sync;

namespace CacheEngine.Inodes;

/// <summary>How the engine finds inodes without knowing the types of their keys and values.</summary>
internal abstract class InodeTable
{
    /// <summary>The inode that the authority speaks of; null when this node does not know it.</summary>
    public abstract Inode? Find(ulong cookie, InodeId id);

    /// <summary>The inode that does not know its id yet and that sent this request: the one that the reply is for, whatever other keys share its hash.</summary>
    public abstract Inode? FindAsking(ulong cookie, long requestId);

    /// <summary>Shows every inode to <paramref name="visit"/>, with no gate held; inodes added meanwhile may be missed.</summary>
    public abstract void Visit(Action<Inode> visit);
}

/// <summary>
/// The intrusive hash table of a cache: sharded, read without locks, grown shard by shard.
/// </summary>
/// <remarks>
/// Insertion and growth take the shard's gate. Growth relinks the inodes of one shard in place: a reader that is under way may miss its key, never
/// find a wrong one, and always ends, since relinked nodes only ever point to nodes relinked before them. A miss takes the slow path, which looks
/// again under the gate. Inodes are not removed yet, and never reused.
/// </remarks>
internal sealed class InodeTable<TKey, TValue> : InodeTable
    where TKey : notnull
{
    private const int ShardCountLog2 = 6;
    private const int InitialBuckets = 8;

    /// <summary>How many buckets an inode has at least. With one, every third hit would first meet another key, and a mispredicted branch with it.</summary>
    private const int BucketsPerInode = 2;

    private readonly Shard[] _shards = new Shard[1 << ShardCountLog2];
    private readonly KeyIdentity<TKey> _identity;
    private readonly InodeSlab<TKey, TValue> _blank = new();
    private readonly int _maxEntries;
    private int _count;

    /// <param name="identity">What a key is.</param>
    /// <param name="maxEntries">How many inodes there may be.</param>
    public InodeTable(KeyIdentity<TKey> identity, int maxEntries = int.MaxValue)
    {
        _identity = identity;
        _maxEntries = maxEntries;
        foreach (ref Shard shard in _shards.AsSpan())
        {
            shard.Buckets = new Inode<TKey, TValue>?[InitialBuckets];
        }
    }

    /// <summary>How many inodes there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The inode of a key, or null. May miss one that is being moved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Inode<TKey, TValue>? Find(TKey key, ulong hash)
    {
        Inode<TKey, TValue>? node = First(hash);
        while (node is not null && !_identity.IsSame(node.Key, node.Cookie, key, hash))
        {
            // Edge TABLE-5 (acquire; other end: TABLE-3): a node that growth relinks meanwhile leads on to complete nodes only.
            node = Volatile.Read(ref node.Next);
        }

        return node;
    }

    /// <summary>The shard of a hash: its highest bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ShardOf(ulong hash) => (int)(hash >> (64 - ShardCountLog2));

    /// <summary>The bucket of a hash in its shard: the bits below those that chose the shard, scaled to the number of buckets.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int BucketOf(ulong hash, int buckets) => (int)((((hash << ShardCountLog2) >> 32) * (uint)buckets) >> 32);

    /// <summary>The first inode of a hash's bucket, for lookups by another form of the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Inode<TKey, TValue>? First(ulong hash)
    {
        // Edge TABLE-1 (acquire; other ends: TABLE-2, TABLE-4): a bucket array or node that is seen is complete.
        Inode<TKey, TValue>?[] buckets = Volatile.Read(ref _shards[ShardOf(hash)].Buckets);
        return Volatile.Read(ref buckets[BucketOf(hash, buckets.Length)]);
    }

    /// <summary>The inode of a key, made if there is none.</summary>
    /// <exception cref="InvalidOperationException">There would be too many; nothing was changed.</exception>
    public Inode<TKey, TValue> GetOrAdd(TKey key, ulong hash)
    {
        if (Find(key, hash) is { } found)
        {
            return found;
        }

        Inode<TKey, TValue> fresh = _blank.Take();
        fresh.Name(key, hash);
        ref Shard shard = ref _shards[ShardOf(hash)];
        Inode<TKey, TValue>?[]? larger = null;
        while (true)
        {
            // Keys are compared outside the gate, since a codec is user code; under it only whether the bucket is still the one that was searched.
            // Edge TABLE-10 (acquire; other ends: TABLE-2, TABLE-4): as TABLE-1.
            Inode<TKey, TValue>?[] buckets = Volatile.Read(ref shard.Buckets);
            Inode<TKey, TValue>? head = Volatile.Read(ref buckets[BucketOf(hash, buckets.Length)]);
            if (Find(key, hash) is { } other)
            {
                return other;
            }

            shard.Gate.Enter(LockLevel.Table);
            ref Inode<TKey, TValue>? bucket = ref buckets[BucketOf(hash, buckets.Length)];
            bool isSearched = ReferenceEquals(buckets, shard.Buckets) && ReferenceEquals(head, bucket);
            bool isFull = shard.Count * BucketsPerInode >= shard.Buckets.Length;
            if (isSearched && !isFull)
            {
                if (Interlocked.Increment(ref _count) > _maxEntries)
                {
                    Interlocked.Decrement(ref _count);
                    shard.Gate.Leave(LockLevel.Table);
                    throw new InvalidOperationException($"The limit of {_maxEntries} entries per cache (MaxEntries) is reached.");
                }

                fresh.Next = head;

                // Edge TABLE-2 (release; other ends: TABLE-1, TABLE-10): moved up, a reader could see a node without its key or its link.
                Volatile.Write(ref bucket, fresh);
                shard.Count++;
                shard.Gate.Leave(LockLevel.Table);
                return fresh;
            }

            int length = shard.Buckets.Length * 2;
            bool grows = isFull && larger?.Length == length;
            if (grows)
            {
                Grow(ref shard, larger!);
            }

            shard.Gate.Leave(LockLevel.Table);
            larger = isFull && !grows ? new Inode<TKey, TValue>?[length] : null;
        }
    }

    /// <inheritdoc/>
    public override Inode? Find(ulong cookie, InodeId id)
    {
        Inode? found = FindFrom(First(cookie), cookie, id);
        if (found is not null)
        {
            return found;
        }

        // A chain that is being relinked may hide it.
        ref Shard shard = ref _shards[ShardOf(cookie)];
        shard.Gate.Enter(LockLevel.Table);
        found = FindFrom(First(cookie), cookie, id);
        shard.Gate.Leave(LockLevel.Table);
        return found;
    }

    /// <inheritdoc/>
    public override Inode? FindAsking(ulong cookie, long requestId)
    {
        ref Shard shard = ref _shards[ShardOf(cookie)];
        Inode<TKey, TValue>? asking = null;
        shard.Gate.Enter(LockLevel.Table);
        for (Inode<TKey, TValue>? node = First(cookie); node is not null && asking is null; node = node.Next)
        {
            if (node.Cookie == cookie && !node.UnguardedId.IsKnown)
            {
                using Inode.Hold hold = node.Enter();
                asking = hold.IsAsking(requestId) ? node : null;
            }
        }

        shard.Gate.Leave(LockLevel.Table);
        return asking;
    }

    /// <inheritdoc/>
    public override void Visit(Action<Inode> visit)
    {
        for (int i = 0; i < _shards.Length; i++)
        {
            foreach (Inode inode in Copy(ref _shards[i]))
            {
                visit(inode);
            }
        }
    }

    /// <summary>All inodes of a shard at one moment. The room for them is made outside the gate, again if it has become too little.</summary>
    private static List<Inode> Copy(ref Shard shard)
    {
        int capacity = 0;
        while (true)
        {
            var inodes = new List<Inode>(capacity);
            shard.Gate.Enter(LockLevel.Table);
            int count = shard.Count;
            if (count <= capacity)
            {
                foreach (Inode<TKey, TValue>? head in shard.Buckets)
                {
                    for (Inode<TKey, TValue>? at = head; at is not null; at = at.Next)
                    {
                        inodes.Add(at);
                    }
                }
            }

            shard.Gate.Leave(LockLevel.Table);
            if (count <= capacity)
            {
                return inodes;
            }

            capacity = count + 16;
        }
    }

    private static Inode<TKey, TValue>? FindFrom(Inode<TKey, TValue>? node, ulong cookie, InodeId id)
    {
        while (node is not null && (node.Cookie != cookie || node.UnguardedId != id))
        {
            // Edge TABLE-6 (acquire; other end: TABLE-3): as TABLE-5.
            node = Volatile.Read(ref node.Next);
        }

        return node;
    }

    private static void Grow(ref Shard shard, Inode<TKey, TValue>?[] larger)
    {
        foreach (Inode<TKey, TValue>? head in shard.Buckets)
        {
            Inode<TKey, TValue>? node = head;
            while (node is not null)
            {
                Inode<TKey, TValue>? next = node.Next;
                ref Inode<TKey, TValue>? bucket = ref larger[BucketOf(node.Cookie, larger.Length)];

                // Edge TABLE-3 (release; other ends: TABLE-5, TABLE-6, TABLE-7, TABLE-8, TABLE-9): nodes relinked before are seen linked as they are now; moved
                // up, a reader under way could be led back to where it came from.
                Volatile.Write(ref node.Next, bucket);
                bucket = node;
                node = next;
            }
        }

        // Edge TABLE-4 (release; other ends: TABLE-1, TABLE-10): moved up, a reader could see a bucket that is not filled yet and miss every key in it.
        Volatile.Write(ref shard.Buckets, larger);
    }

    private struct Shard
    {
        public Inode<TKey, TValue>?[] Buckets;
        public SpinGate Gate;
        public int Count;
    }
}
