using System.Runtime.CompilerServices;

namespace CacheEngine.Sessions;

/// <summary>
/// A holder's view of its lease: when each outstanding renewal was sent, and how far the deadline has been advanced.
/// </summary>
/// <remarks>
/// An answer advances the deadline to the <em>send</em> time of its own question plus the term (an answer that dawdles is worth less), and only
/// once this node has taken in every message that the authority had sent by then: a renewal must not extend a right whose revoke is under way.
/// The answer to the later question decides; an older answer changes nothing. Two answers can be held, the one that will count first and the latest,
/// so that a node that is always a little behind still gets on. At most <see cref="MaxOutstanding"/> questions are remembered.
/// </remarks>
internal struct LeaseState
{
    public const int MaxOutstanding = 8;

    private SentStamps _sentAt;
    private RenewSeq _lastSent;
    private RenewSeq _lastAnswered;
    private HeldAnswer _first;
    private HeldAnswer _latest;

    /// <summary>The last moment at which this node may serve, in engine milliseconds; <see cref="long.MinValue"/> before the first answer.</summary>
    public long Deadline { get; private set; }

    public static LeaseState Initial => new() { Deadline = long.MinValue, _first = HeldAnswer.None, _latest = HeldAnswer.None };

    /// <summary>Notes that a renewal leaves now.</summary>
    public RenewSeq Sent(long now)
    {
        _lastSent = new RenewSeq(_lastSent.Value + 1);
        _sentAt[(int)(_lastSent.Value % MaxOutstanding)] = now;
        return _lastSent;
    }

    /// <summary>Takes in an answer.</summary>
    /// <returns>True when the deadline moved.</returns>
    public bool Answered(RenewSeq seq, MessageSeq owedThrough, MessageSeq tookIn, in LeaseTerms terms)
    {
        bool known = seq.Value <= _lastSent.Value && seq.Value + MaxOutstanding > _lastSent.Value;
        if (!known || seq.Value <= _lastAnswered.Value)
        {
            return false;
        }

        _lastAnswered = seq;
        var held = new HeldAnswer(terms.HolderDeadline(_sentAt[(int)(seq.Value % MaxOutstanding)]), owedThrough);
        if (_first == HeldAnswer.None)
        {
            _first = held;
        }
        else
        {
            _latest = held;
        }

        return TookIn(tookIn);
    }

    /// <summary>Notes that every message up to this one has been taken in.</summary>
    /// <returns>True when that moved the deadline.</returns>
    public bool TookIn(MessageSeq seq)
    {
        long before = Deadline;
        if (_first != HeldAnswer.None && seq >= _first.OwedThrough)
        {
            Deadline = Math.Max(Deadline, _first.Deadline);
            _first = _latest;
            _latest = HeldAnswer.None;
        }

        if (_first != HeldAnswer.None && seq >= _first.OwedThrough)
        {
            Deadline = Math.Max(Deadline, _first.Deadline);
            _first = HeldAnswer.None;
        }

        return Deadline != before;
    }

    /// <summary>Ends the lease: the clock is not to be trusted, or the session is over. Answers to earlier questions no longer count.</summary>
    public void Void()
    {
        Deadline = long.MinValue;
        _first = HeldAnswer.None;
        _latest = HeldAnswer.None;
        _lastAnswered = _lastSent;
    }

    /// <summary>An answer that waits for what was owed when it was given.</summary>
    private readonly record struct HeldAnswer(long Deadline, MessageSeq OwedThrough)
    {
        public static readonly HeldAnswer None = new(long.MinValue, default);
    }

    [InlineArray(MaxOutstanding)]
    private struct SentStamps
    {
        private long _element;
    }
}
