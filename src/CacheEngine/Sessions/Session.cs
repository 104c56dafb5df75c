using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using CacheEngine.Authority;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>
/// A node's link to its authority: the lease that every hit reads, the generation that every right is measured by, and the message numbers.
/// </summary>
internal sealed class Session(FlushLedger flushes)
{
    private SpinGate _gate;
    private LeaseState _lease = LeaseState.Initial;
    private long _deadline = long.MinValue;
    private uint _generation;
    private ulong _tookIn;
    private ulong _sent;
    private long _lastRenewalSentAt = long.MinValue;
    private long _lastHeardAt;
    private ISessionLink? _link;
    private ISessionLink? _offered;
    private long _offeredAskedAt;
    private bool _isShut;

    /// <summary>The last moment at which a right may be used, in engine milliseconds.</summary>
    public long Deadline
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        // Edge SESSION-2 (acquire; other ends: SESSION-1, SESSION-3, SESSION-4, SESSION-5): read before the generation; see edge HIT-5.
        get => Volatile.Read(ref _deadline);
    }

    public SessionGeneration Generation =>
        // Edge SESSION-6 (acquire; other ends: SESSION-1, SESSION-3): a right is measured by the generation of now, not by one remembered.
        new(Volatile.Read(ref _generation));

    /// <summary>The generation as the hit compares it.</summary>
    public uint GenerationValue
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        // The read of edge SESSION-6, without the wrapper.
        get => Volatile.Read(ref _generation);
    }

    /// <summary>Every message of the authority up to this one has taken effect here.</summary>
    public MessageSeq TookIn =>
        // Edge TOOK-2 (acquire; other ends: TOOK-1, TOOK-3): what is told to the authority as taken in has taken effect.
        new(Volatile.Read(ref _tookIn));

    /// <summary>The open link; null while there is none. Everything read through it belongs to its session.</summary>
    public ISessionLink? Link =>
        // Edge LINK-2 (acquire; other ends: LINK-1, LINK-3): whoever sees a link sees the session that was opened for it.
        Volatile.Read(ref _link);

    /// <summary>Starts a new generation under a newly opened link. Its opening counts as a renewal sent at <paramref name="askedAt"/>.</summary>
    public void Open(ISessionLink link, long askedAt)
    {
        _gate.Enter(LockLevel.Leaf);
        Use(link, askedAt);
        _gate.Leave(LockLevel.Leaf);
    }

    private void Use(ISessionLink link, long askedAt)
    {
        // Edge TOOK-3 (release; other end: TOOK-2): comes before LINK-1; behind it, the new link's first message would be taken for a gap.
        Volatile.Write(ref _tookIn, 0);
        _sent = 0;
        _lease = LeaseState.Initial;
        RenewSeq opening = _lease.Sent(askedAt);
        _ = _lease.Answered(opening, default, default, link.Terms);
        _lastRenewalSentAt = askedAt;
        _lastHeardAt = askedAt;

        // Edge SESSION-1 (release; other ends: HIT-5, SESSION-2, SESSION-6): the generation first, the deadline after it.
        Volatile.Write(ref _generation, new SessionGeneration(_generation).Next().Value);
        Volatile.Write(ref _deadline, _lease.Deadline);

        // Edge LINK-1 (release; other end: LINK-2): last; moved up, a pump could receive under the lease and numbers of the session before.
        Volatile.Write(ref _link, link);
    }

    /// <summary>Hands over a newly opened link; the outbound pump takes it into use.</summary>
    /// <returns>False when it is not wanted: another one is in use, or this node is ending its session.</returns>
    public bool TryOffer(ISessionLink link, long askedAt)
    {
        _gate.Enter(LockLevel.Leaf);
        bool isWanted = _link is null && !_isShut;
        if (isWanted)
        {
            _offeredAskedAt = askedAt;

            // Edge OFFER-1 (release; other end: OFFER-2): the wake that follows makes the outbound pump look; moved below it, the offer could be passed by.
            Volatile.Write(ref _offered, link);
        }

        _gate.Leave(LockLevel.Leaf);
        return isWanted;
    }

    /// <summary>A session that this node has ended by itself may be followed by another.</summary>
    public void Admit()
    {
        _gate.Enter(LockLevel.Leaf);
        _isShut = false;
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Takes an offered link into use. Called by the outbound pump only.</summary>
    public bool TryOpenOffered()
    {
        // Edge OFFER-2 (acquire; other end: OFFER-1): only to skip the gate; what is offered is taken under it.
        if (Volatile.Read(ref _offered) is null)
        {
            return false;
        }

        _gate.Enter(LockLevel.Leaf);
        ISessionLink? link = _offered;
        _offered = null;
        if (link is not null)
        {
            Use(link, _offeredAskedAt);
        }

        _gate.Leave(LockLevel.Leaf);
        return link is not null;
    }

    /// <summary>Ends the lease and every right at once; false when the link had been given up already.</summary>
    public bool TryLose([NotNullWhen(true)] out ISessionLink? link) => TryLose(isShut: false, out link);

    /// <summary>The same by this node's own will, also of a link that was only offered. None is taken into use before <see cref="Admit"/>.</summary>
    public bool TryClose([NotNullWhen(true)] out ISessionLink? link) => TryLose(isShut: true, out link);

    private bool TryLose(bool isShut, [NotNullWhen(true)] out ISessionLink? link)
    {
        _gate.Enter(LockLevel.Leaf);
        _isShut |= isShut;
        link = _link;
        if (isShut)
        {
            link ??= _offered;
            _offered = null;
        }

        // Edge LINK-3 (release; other end: LINK-2): the inbound pump gives a session up in its own turn, so it never carries a message over.
        Volatile.Write(ref _link, null);
        _lease.Void();

        // Edge SESSION-3 (release; other ends: SESSION-2, SESSION-6): either write alone ends every hit; moved below the goodbye, the authority could let
        // another node write while hits go on.
        Volatile.Write(ref _deadline, long.MinValue);
        Volatile.Write(ref _generation, new SessionGeneration(_generation).Next().Value);
        _gate.Leave(LockLevel.Leaf);
        return link is not null;
    }

    /// <summary>Ends the lease but not the rights: the clock is not to be trusted. The next renewal's answer brings the lease back.</summary>
    public void VoidLease()
    {
        _gate.Enter(LockLevel.Leaf);
        _lease.Void();

        // Edge SESSION-4 (release; other end: SESSION-2): nothing is published with it; hits end as soon as it is seen.
        Volatile.Write(ref _deadline, long.MinValue);
        _lastRenewalSentAt = long.MinValue;
        _gate.Leave(LockLevel.Leaf);
    }

    /// <summary>Whether the next renewal is due; then it counts as sent.</summary>
    public bool TryRenew(long now, out RenewSeq seq)
    {
        seq = default;
        _gate.Enter(LockLevel.Leaf);
        bool due = _link is { } link && now >= _lastRenewalSentAt + link.Terms.RenewIntervalMilliseconds;
        if (due)
        {
            seq = _lease.Sent(now);
            _lastRenewalSentAt = now;
        }

        _gate.Leave(LockLevel.Leaf);
        return due;
    }

    /// <summary>Whether the authority has been silent for so long that it has ended the session by now, and its rights with it.</summary>
    public bool HasTimedOut(long now)
    {
        _gate.Enter(LockLevel.Leaf);
        bool hasTimedOut = _link is { } link && now - _lastHeardAt >= link.Terms.SessionTimeoutMilliseconds;
        _gate.Leave(LockLevel.Leaf);
        return hasTimedOut;
    }

    /// <summary>Takes in the answer to a renewal.</summary>
    /// <returns>Whether the lease moved.</returns>
    public bool Renewed(in AuthorityMessage message, in LeaseTerms terms, long now)
    {
        _gate.Enter(LockLevel.Leaf);
        _lastHeardAt = now;
        bool moved = _lease.Answered(message.Renew, message.OwedThrough, TookIn, terms);
        Publish(moved);
        _gate.Leave(LockLevel.Leaf);
        return moved;
    }

    /// <summary>Notes that a message has taken effect. Called by the inbound pump only, after applying it.</summary>
    /// <returns>Whether the lease moved by it.</returns>
    public bool Took(MessageSeq seq)
    {
        _gate.Enter(LockLevel.Leaf);

        // Edge TOOK-1 (release; other end: TOOK-2): moved up, the authority could be told of a revoke that hits do not feel yet.
        Volatile.Write(ref _tookIn, seq.Value);
        bool moved = _lease.TookIn(seq);
        Publish(moved);
        _gate.Leave(LockLevel.Leaf);
        return moved;
    }

    /// <summary>Numbers an outgoing message. Called by the outbound pump only.</summary>
    public void Stamp(ref ClientMessage message, ISessionLink link)
    {
        message.Session = link.Id;
        message.Sequence = new MessageSeq(++_sent);
        message.TookIn = TookIn;
        FlushTid floor = flushes.Floor;
        message.Floor = message.Tid.Value != 0 && (floor.Value == 0 || message.Tid < floor) ? message.Tid : floor;
    }

    private void Publish(bool moved)
    {
        if (moved)
        {
            // Edge SESSION-5 (release; other end: SESSION-2): moved up over the applying of a message, the longer lease could serve what it took back.
            Volatile.Write(ref _deadline, _lease.Deadline);
        }
    }
}
