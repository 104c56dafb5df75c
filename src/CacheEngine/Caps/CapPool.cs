using System.Numerics;
using System.Runtime.InteropServices;
using CacheEngine.Inodes;
using CacheEngine.Reservations;
using CacheEngine.Sync;

namespace CacheEngine.Caps;

/// <summary>
/// Preallocated cap objects: what a request may need is reserved before it is sent, so that taking in its reply cannot fail.
/// </summary>
/// <remarks>
/// Sharded by thread: each shard has its own gate, free list (last in, first out) and <see cref="ReservationLedger"/>. A cap belongs to the accounts of
/// one shard for life, so total = used + reserved + available holds in every shard and in the sum. Nothing is allocated inside a gate.
/// </remarks>
internal sealed class CapPool
{
    private readonly Shard[] _shards;
    private readonly int _maxCaps;
    private readonly int _maxSparesPerShard;
    private int _total;

    public CapPool(int maxCaps, int maxSpares, int shards)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxCaps);
        ArgumentOutOfRangeException.ThrowIfNegative(maxSpares);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shards);
        _maxCaps = maxCaps;
        _shards = new Shard[(int)BitOperations.RoundUpToPowerOf2((uint)shards)];
        _maxSparesPerShard = Math.Max(1, maxSpares / _shards.Length);
        for (int i = 0; i < _shards.Length; i++)
        {
            _shards[i] = new Shard();
        }
    }

    /// <summary>Sets <paramref name="count"/> cap objects aside, all or nothing.</summary>
    /// <exception cref="InvalidOperationException">The pool's limit would be passed; nothing was reserved.</exception>
    public CapReservation Reserve(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        int index = Environment.CurrentManagedThreadId & (_shards.Length - 1);
        Shard shard = _shards[index];
        shard.State.Gate.Enter(LockLevel.Leaf);
        if (shard.State.Ledger.Missing(count) == 0)
        {
            shard.State.Ledger.Reserve(count, 0);
            shard.State.Gate.Leave(LockLevel.Leaf);
        }
        else
        {
            shard.State.Gate.Leave(LockLevel.Leaf);
            ReserveFresh(shard, index, count);
        }

        return new CapReservation(this, index, count);
    }

    /// <summary>Takes a cap back. It must be reachable from nowhere else.</summary>
    public void Put(Cap cap)
    {
        Shard shard = _shards[cap.HomeShard];
        cap.Inode = null;
        cap.State = default;
        cap.AnswerDue = false;
        cap.Refs = default;
        cap.InodeIdValue = 0;
        cap.Activity = null;
        cap.ValueVersion = 0;
        cap.Epoch = 0;
        cap.ValueState = ValueState.Unknown;
        shard.State.Gate.Enter(LockLevel.Leaf);
        bool keep = shard.State.Ledger.Put(_maxSparesPerShard);
        if (keep)
        {
            cap.NextFree = shard.Free;
            shard.Free = cap;
        }

        shard.State.Gate.Leave(LockLevel.Leaf);
        if (!keep)
        {
            Interlocked.Decrement(ref _total);
        }
    }

    /// <summary>The sum of the shards' accounts; exact when nothing runs.</summary>
    public (int Total, int Used, int Reserved, int Available) Status()
    {
        (int Total, int Used, int Reserved, int Available) sum = default;
        foreach (Shard shard in _shards)
        {
            shard.State.Gate.Enter(LockLevel.Leaf);
            ReservationLedger ledger = shard.State.Ledger;
            shard.State.Gate.Leave(LockLevel.Leaf);
            sum.Total += ledger.Total;
            sum.Used += ledger.Used;
            sum.Reserved += ledger.Reserved;
            sum.Available += ledger.Available;
        }

        return sum;
    }

    internal Cap Take(int index)
    {
        Shard shard = _shards[index];
        shard.State.Gate.Enter(LockLevel.Leaf);
        shard.State.Ledger.Take();
        Cap cap = shard.Free!;
        shard.Free = cap.NextFree;
        cap.NextFree = null;
        shard.State.Gate.Leave(LockLevel.Leaf);
        return cap;
    }

    internal void Unreserve(int index, int count)
    {
        Shard shard = _shards[index];
        shard.State.Gate.Enter(LockLevel.Leaf);
        shard.State.Ledger.Unreserve(count);
        shard.State.Gate.Leave(LockLevel.Leaf);
    }

    private void ReserveFresh(Shard shard, int index, int count)
    {
        Cap? fresh = null;
        int freshCount = 0;
        try
        {
            while (true)
            {
                shard.State.Gate.Enter(LockLevel.Leaf);
                int missing = shard.State.Ledger.Missing(count);
                if (missing <= freshCount)
                {
                    shard.State.Ledger.Reserve(count, Math.Min(freshCount, count));
                    for (; fresh is not null && freshCount > 0; freshCount--)
                    {
                        Cap next = fresh;
                        fresh = next.NextFree;
                        next.NextFree = shard.Free;
                        shard.Free = next;
                    }

                    shard.State.Gate.Leave(LockLevel.Leaf);
                    return;
                }

                shard.State.Gate.Leave(LockLevel.Leaf);
                for (; freshCount < missing; freshCount++)
                {
                    CountFresh(index, count);
                    fresh = new Cap(index) { NextFree = fresh };
                }
            }
        }
        catch
        {
            Interlocked.Add(ref _total, -freshCount);
            throw;
        }
    }

    private void CountFresh(int index, int count)
    {
        if (Interlocked.Increment(ref _total) > _maxCaps && !TryDropSpare(index))
        {
            Interlocked.Decrement(ref _total);
            throw new InvalidOperationException(
                $"No {count} more capabilities can be reserved: the limit of {_maxCaps} per cache (MaxEntries) is reached.");
        }
    }

    /// <summary>Makes room at the limit by dropping an unpromised cap of another shard.</summary>
    private bool TryDropSpare(int except)
    {
        for (int i = 0; i < _shards.Length; i++)
        {
            Shard shard = _shards[i];
            if (i == except)
            {
                continue;
            }

            shard.State.Gate.Enter(LockLevel.Leaf);
            bool drops = shard.State.Ledger.TryDrop();
            if (drops)
            {
                Cap spare = shard.Free!;
                shard.Free = spare.NextFree;
                spare.NextFree = null;
            }

            shard.State.Gate.Leave(LockLevel.Leaf);
            if (drops)
            {
                Interlocked.Decrement(ref _total);
                return true;
            }
        }

        return false;
    }

    private sealed class Shard
    {
        public Cap? Free;
        public ShardState State;
    }

    /// <summary>The gate and accounts of a shard, with room behind them: the next shard's begin on another cache line.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct ShardState
    {
        [FieldOffset(0)]
        public SpinGate Gate;

        [FieldOffset(sizeof(int))]
        public ReservationLedger Ledger;
    }
}

/// <summary>A promise of cap objects. Dispose it: what was not taken goes back. Belongs to one caller; not to be copied.</summary>
internal struct CapReservation : IDisposable
{
    private readonly CapPool _pool;
    private readonly int _shard;

    internal CapReservation(CapPool pool, int shard, int count)
    {
        _pool = pool;
        _shard = shard;
        Count = count;
    }

    /// <summary>How many caps may still be taken.</summary>
    public int Count { get; private set; }

    /// <summary>Draws one promised cap; cannot fail while <see cref="Count"/> is positive.</summary>
    /// <exception cref="InvalidOperationException">Nothing is left.</exception>
    public Cap Take()
    {
        if (Count <= 0)
        {
            throw new InvalidOperationException("The reservation is used up.");
        }

        Count--;
        return _pool.Take(_shard);
    }

    public void Dispose()
    {
        if (Count > 0)
        {
            _pool.Unreserve(_shard, Count);
            Count = 0;
        }
    }
}
