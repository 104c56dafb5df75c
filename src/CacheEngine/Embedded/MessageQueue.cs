using CacheEngine.Sync;

namespace CacheEngine.Embedded;

/// <summary>
/// One direction of a link: messages in order, each from its due time on.
/// </summary>
/// <remarks>
/// A ring that grows and stays grown. Bound: what may be under way is bounded by its senders, one answer per cap and one message per operation in one
/// direction, one reply per request and one revoke per cap in the other.
/// </remarks>
internal sealed class MessageQueue<TMessage>
    where TMessage : struct
{
    private SpinGate _gate;
    private (TMessage Message, long Due)[] _ring = new (TMessage, long)[8];
    private int _head;
    private int _count;
    private long _lastDue = long.MinValue;

    /// <summary>When the first message is due; <see cref="long.MaxValue"/>: there is none.</summary>
    public long NextDue
    {
        get
        {
            // Edge QUEUE-1 (acquire; other ends: QUEUE-3, QUEUE-4, QUEUE-5): spares the gate. A stale zero costs nothing: whoever adds looks or wakes after.
            if (Volatile.Read(ref _count) == 0)
            {
                return long.MaxValue;
            }

            _gate.Enter(LockLevel.Leaf);
            long due = _count > 0 ? _ring[_head].Due : long.MaxValue;
            _gate.Leave(LockLevel.Leaf);
            return due;
        }
    }

    /// <summary>Adds a message behind all others, due no earlier than those before it.</summary>
    public void Add(in TMessage message, long due)
    {
        (TMessage, long)[]? larger = null;
        while (true)
        {
            _gate.Enter(LockLevel.Leaf);
            if (_count < _ring.Length || larger?.Length > _ring.Length)
            {
                break;
            }

            int length = _ring.Length * 2;
            _gate.Leave(LockLevel.Leaf);
            larger = new (TMessage, long)[length];
        }

        if (_count == _ring.Length)
        {
            for (int i = 0; i < _count; i++)
            {
                larger![i] = _ring[(_head + i) & (_ring.Length - 1)];
            }

            _ring = larger!;
            _head = 0;
        }

        _lastDue = Math.Max(_lastDue, due);
        _ring[(_head + _count) & (_ring.Length - 1)] = (message, _lastDue);

        // Edge QUEUE-3 (release; other ends: QUEUE-1, QUEUE-2): moved below the wake that follows, the turn could find the queue empty.
        Volatile.Write(ref _count, _count + 1);
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Takes the first message if it is due.</summary>
    public bool TryTake(long now, out TMessage message)
    {
        message = default;

        // Edge QUEUE-2 (acquire; other ends: QUEUE-3, QUEUE-4, QUEUE-5): as QUEUE-1; what is taken is read under the gate.
        if (Volatile.Read(ref _count) == 0)
        {
            return false;
        }

        _gate.Enter(LockLevel.Leaf);
        bool isDue = _count > 0 && _ring[_head].Due <= now;
        if (isDue)
        {
            message = _ring[_head].Message;
            _ring[_head] = default;
            _head = (_head + 1) & (_ring.Length - 1);

            // Edge QUEUE-4 (release; other ends: QUEUE-1, QUEUE-2): a reader that sees the old count only enters the gate in vain.
            Volatile.Write(ref _count, _count - 1);
        }

        _gate.Leave(LockLevel.Leaf);
        return isDue;
    }

    public void Clear()
    {
        _gate.Enter(LockLevel.Leaf);
        Array.Clear(_ring);
        _head = 0;

        // Edge QUEUE-5 (release; other ends: QUEUE-1, QUEUE-2): as QUEUE-4.
        Volatile.Write(ref _count, 0);
        _gate.Leave(LockLevel.Leaf);
    }
}
