using CacheEngine.Sync;

namespace CacheEngine.Inodes;

/// <summary>
/// Blank inodes, allocated many at a time: so they lie next to one another in memory instead of between the other objects that a new key brings, and
/// a table of them takes fewer cache lines and pages.
/// </summary>
internal sealed class InodeSlab<TKey, TValue>
{
    /// <summary>How many are allocated together, and so at most unused: some 25 kilobytes.</summary>
    public const int Size = 256;

    private SpinGate _gate;
    private Inode<TKey, TValue>[] _blank = [];
    private int _left;

    public Inode<TKey, TValue> Take()
    {
        while (true)
        {
            _gate.Enter(LockLevel.Leaf);
            Inode<TKey, TValue>? inode = _left > 0 ? _blank[--_left] : null;
            _gate.Leave(LockLevel.Leaf);
            if (inode is not null)
            {
                return inode;
            }

            var fresh = new Inode<TKey, TValue>[Size];
            for (int i = 0; i < fresh.Length; i++)
            {
                fresh[i] = new Inode<TKey, TValue>();
            }

            // Two threads may both have allocated; then one slab is dropped.
            _gate.Enter(LockLevel.Leaf);
            if (_left == 0)
            {
                _blank = fresh;
                _left = fresh.Length;
            }

            _gate.Leave(LockLevel.Leaf);
        }
    }
}
