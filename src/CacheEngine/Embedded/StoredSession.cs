using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Embedded;

/// <summary>How a session comes to its end.</summary>
internal enum SessionEnd : byte
{
    /// <summary>Nothing more is taken in of it; its rights go on until they have run out.</summary>
    CutOff,

    /// <summary>The same, and its node cannot claim them in its next session.</summary>
    Evicted,

    /// <summary>Its rights are over, without a word of its node.</summary>
    Silent,

    /// <summary>Its rights are over by its node's own word: nothing that was buffered under it is missing.</summary>
    Closed,
}

/// <summary>What a record is told of an end.</summary>
internal static class SessionEnds
{
    public static bool EndsRights(this SessionEnd how) => how is SessionEnd.Silent or SessionEnd.Closed;

    public static RecordEventKind EventFor(this SessionEnd how, SessionEnding ending, bool isEvicted) =>
        how == SessionEnd.Evicted ? RecordEventKind.SessionEvicted
        : ending == SessionEnding.CutOff ? RecordEventKind.SessionCut
        : how == SessionEnd.Closed && !isEvicted ? RecordEventKind.SessionClosed
        : RecordEventKind.SessionGone;
}

/// <summary>What an end changed about a session.</summary>
internal enum SessionEnding : byte
{
    None,

    /// <summary>Nothing is taken in of it any more; its rights go on until they run out.</summary>
    CutOff,

    /// <summary>It had been cut off before, and now its rights are over.</summary>
    RightsOver,

    /// <summary>It was cut off and its rights are over.</summary>
    Both,
}

/// <summary>
/// What the store keeps of one session: what it is owed, when it was last heard of, and which records it has touched.
/// </summary>
internal sealed class StoredSession
{
    private readonly MessageQueue<AuthorityMessage> _owed = new();
    private readonly MessageQueue<AuthorityMessage> _renewals = new();
    private readonly HashSet<InodeId> _touched = [];
    private readonly Lock _touchedLock = new();
    private SpinGate _gate;

    /// <summary>What must be durable before each owed message may be received, in their order; guarded with them. Null: nothing can be forgotten.</summary>
    private readonly Queue<long>? _positions;

    private MessageSeq _lastOwed;
    private MessageSeq _tookIn;
    private ReceivedWindow _received;
    private long _lastRenewedAt;
    private bool _hasEnded;
    private bool _rightsAreOver;
    private bool _isEvicted;
    private bool _isClosed;

    /// <param name="id">Its id.</param>
    /// <param name="opening">What its node said of itself.</param>
    /// <param name="now">The authority's clock.</param>
    /// <param name="withholds">Whether what it is owed waits until it cannot be forgotten any more.</param>
    public StoredSession(SessionId id, SessionOpening opening, long now, bool withholds)
    {
        _positions = withholds ? new Queue<long>() : null;
        Id = id;
        Opening = opening;
        _lastRenewedAt = now;
    }

    public SessionId Id { get; }

    public SessionOpening Opening { get; }

    /// <summary>What decisions may know of the session, all read together.</summary>
    public SessionView View
    {
        get
        {
            _gate.Enter(LockLevel.Session);
            var view = new SessionView(_lastRenewedAt, _tookIn, _rightsAreOver, _isClosed, _isEvicted);
            _gate.Leave(LockLevel.Session);
            return view;
        }
    }

    /// <summary>Numbers a message and queues it, in one step: the order of numbers is the order of the queue.</summary>
    /// <param name="message">The message; its session and number are written.</param>
    /// <param name="due">When it may be received, at the earliest.</param>
    /// <param name="position">What must be durable before it may be received.</param>
    public MessageSeq Owe(ref AuthorityMessage message, long due, long position = 0)
    {
        message.Session = Id;
        _gate.Enter(LockLevel.Session);
        _lastOwed = _lastOwed.Next();
        message.Sequence = _lastOwed;
        _owed.Add(message, due);

        // It may grow under the gate; only for an authority that may forget.
        _positions?.Enqueue(position);
        _gate.Leave(LockLevel.Session);
        return message.Sequence;
    }

    /// <summary>Notes a renewal and answers it with what the session is owed at this moment.</summary>
    /// <returns>False when the session is over.</returns>
    public bool TryRenew(in ClientMessage renewal, long now, long due)
    {
        var reply = new AuthorityMessage { Kind = AuthorityMessageKind.Renewed, Session = Id, Renew = renewal.Renew };
        _gate.Enter(LockLevel.Session);
        bool isOpen = !_hasEnded;
        if (isOpen)
        {
            _lastRenewedAt = now;
            reply.OwedThrough = _lastOwed;
            _renewals.Add(reply, due);
        }

        _gate.Leave(LockLevel.Session);
        return isOpen;
    }

    /// <summary>Notes how far the node has come.</summary>
    public void TookIn(MessageSeq seq)
    {
        _gate.Enter(LockLevel.Session);
        _tookIn = seq >= _tookIn && seq <= _lastOwed ? seq : _tookIn;
        _gate.Leave(LockLevel.Session);
    }

    /// <summary>Judges the number of a message from the node; the next one counts as taken in.</summary>
    public Reception Receive(in ClientMessage message)
    {
        ulong fingerprint = MessageRules.Fingerprint(message);
        _gate.Enter(LockLevel.Session);
        Reception reception = _received.Take(message.Sequence, fingerprint);
        _gate.Leave(LockLevel.Session);
        return reception;
    }

    /// <summary>Whether an operator ended it: then its node's word that nothing is missing counts for nothing, since what it had not flushed is refused.</summary>
    public bool IsEvicted
    {
        get
        {
            _gate.Enter(LockLevel.Session);
            bool isEvicted = _isEvicted;
            _gate.Leave(LockLevel.Session);
            return isEvicted;
        }
    }

    /// <summary>From now on what it holds cannot be claimed; its end follows.</summary>
    public void Evict()
    {
        _gate.Enter(LockLevel.Session);
        _isEvicted = true;
        _gate.Leave(LockLevel.Session);
    }

    /// <summary>Whether it was cut off, and what it was owed is dropped.</summary>
    public bool HasEnded
    {
        get
        {
            _gate.Enter(LockLevel.Session);
            bool hasEnded = _hasEnded;
            _gate.Leave(LockLevel.Session);
            return hasEnded;
        }
    }

    /// <summary>Ends the session; what it was owed is dropped.</summary>
    /// <param name="how">If its rights are not over with it, its node may serve until its lease ends, counted anew from now.</param>
    /// <param name="now">The authority's clock.</param>
    public SessionEnding End(SessionEnd how, long now)
    {
        bool rightsAreOver = how.EndsRights();
        _gate.Enter(LockLevel.Session);
        _isEvicted |= how == SessionEnd.Evicted;
        SessionEnding ending =
            rightsAreOver && !_rightsAreOver ? (_hasEnded ? SessionEnding.RightsOver : SessionEnding.Both)
            : !_hasEnded ? SessionEnding.CutOff
            : SessionEnding.None;
        _lastRenewedAt = ending == SessionEnding.CutOff ? now : _lastRenewedAt;
        _hasEnded = true;
        _isClosed |= how == SessionEnd.Closed && !_rightsAreOver && !_isEvicted;
        _rightsAreOver |= rightsAreOver;
        bool isCutOff = ending is SessionEnding.CutOff or SessionEnding.Both;
        if (isCutOff)
        {
            _owed.Clear();
            _positions?.Clear();
        }

        _gate.Leave(LockLevel.Session);
        if (isCutOff)
        {
            _renewals.Clear();
        }

        return ending;
    }

    /// <summary>Whether the session was cut off and the last lease under it has run out by now.</summary>
    public bool HasRunOut(in LeaseTerms terms, long now)
    {
        _gate.Enter(LockLevel.Session);
        bool hasRunOut = _hasEnded && !_rightsAreOver && now >= terms.SilentFrom(_lastRenewedAt);
        _gate.Leave(LockLevel.Session);
        return hasRunOut;
    }

    /// <summary>When the next message of either lane is due; <see cref="long.MaxValue"/>: there is none.</summary>
    /// <param name="committed">What is durable: what is not may not be received yet.</param>
    public long NextDue(long committed)
    {
        bool isWithheld = false;
        if (_positions is { } positions)
        {
            _gate.Enter(LockLevel.Session);
            isWithheld = positions.TryPeek(out long position) && position > committed;
            _gate.Leave(LockLevel.Session);
        }

        return Math.Min(isWithheld ? long.MaxValue : _owed.NextDue, _renewals.NextDue);
    }

    /// <summary>The last thing that the node of an ended session is told.</summary>
    public void TellEnd(long due)
    {
        var message = new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded };
        _ = Owe(ref message, due);
    }

    /// <summary>Takes the next thing that the session is owed, in order.</summary>
    /// <param name="now">The authority's clock.</param>
    /// <param name="committed">What is durable.</param>
    /// <param name="message">The message.</param>
    public bool TryTakeOwed(long now, long committed, out AuthorityMessage message)
    {
        if (_positions is null)
        {
            return _owed.TryTake(now, out message);
        }

        message = default;
        _gate.Enter(LockLevel.Session);
        bool isTaken = _positions.TryPeek(out long position) && position <= committed && _owed.TryTake(now, out message);
        if (isTaken)
        {
            _positions.Dequeue();
        }

        _gate.Leave(LockLevel.Session);
        return isTaken;
    }

    public bool TryTakeRenewal(long now, out AuthorityMessage message) => _renewals.TryTake(now, out message);

    /// <summary>Remembers a record that must hear of the session's end. Not under a gate: a set may grow.</summary>
    public void Touch(InodeId id)
    {
        lock (_touchedLock)
        {
            _touched.Add(id);
        }
    }

    public InodeId[] Touched()
    {
        lock (_touchedLock)
        {
            return [.. _touched];
        }
    }
}
