using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Embedded;

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
    private MessageSeq _lastOwed;
    private MessageSeq _tookIn;
    private ReceivedWindow _received;
    private long _lastRenewedAt;
    private bool _hasEnded;
    private bool _rightsAreOver;

    public StoredSession(SessionId id, SessionOpening opening, long now)
    {
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
            var view = new SessionView(_lastRenewedAt, _tookIn, _rightsAreOver);
            _gate.Leave(LockLevel.Session);
            return view;
        }
    }

    /// <summary>Numbers a message and queues it, in one step: the order of numbers is the order of the queue.</summary>
    /// <param name="message">The message; its session and number are written.</param>
    /// <param name="due">When it may be received, at the earliest.</param>
    public MessageSeq Owe(ref AuthorityMessage message, long due)
    {
        message.Session = Id;
        _gate.Enter(LockLevel.Session);
        _lastOwed = _lastOwed.Next();
        message.Sequence = _lastOwed;
        _owed.Add(message, due);
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

    /// <summary>Ends the session; what it was owed is dropped.</summary>
    /// <param name="rightsAreOver">Whether its rights are over with it. If not, its node may serve until its lease ends, counted anew from now.</param>
    /// <param name="now">The authority's clock.</param>
    public SessionEnding End(bool rightsAreOver, long now)
    {
        _gate.Enter(LockLevel.Session);
        SessionEnding ending =
            rightsAreOver && !_rightsAreOver ? (_hasEnded ? SessionEnding.RightsOver : SessionEnding.Both)
            : !_hasEnded ? SessionEnding.CutOff
            : SessionEnding.None;
        _lastRenewedAt = ending == SessionEnding.CutOff ? now : _lastRenewedAt;
        _hasEnded = true;
        _rightsAreOver |= rightsAreOver;
        _gate.Leave(LockLevel.Session);
        if (ending is SessionEnding.CutOff or SessionEnding.Both)
        {
            _owed.Clear();
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
    public long NextDue => Math.Min(_owed.NextDue, _renewals.NextDue);

    /// <summary>The last thing that the node of an ended session is told.</summary>
    public void TellEnd(long due)
    {
        var message = new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded };
        _ = Owe(ref message, due);
    }

    public bool TryTakeOwed(long now, out AuthorityMessage message) => _owed.TryTake(now, out message);

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
