using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Embedded;

/// <summary>
/// One session of the embedded authority, both ends of its link: what the node posts is queued here and taken in by this pump, in order;
/// what the node is owed waits in the store until the node receives it.
/// </summary>
internal sealed class AuthoritySession : Pump, ISessionLink
{
    private readonly EmbeddedAuthority _authority;
    private readonly StoredSession _stored;
    private readonly LinkPolicy _links;
    private readonly MessageQueue<ClientMessage> _posted = new();
    private readonly MessageQueue<ClientMessage> _renewals = new();
    private readonly DelayedWake _wakeNode;
    private readonly DelayedWake _wakeSelf;

    // Later is stronger: a demand never takes back a stronger one.
    private const int EndsIfSilent = 1;
    private const int IsCutOff = 2;
    private const int IsEvicted = 3;
    private const int Closes = 4;
    private const int Ends = 5;

    private int _isEndDue;

    public AuthoritySession(EmbeddedAuthority authority, StoredSession stored, LinkPolicy links, PumpScheduler scheduler, Action wakeNode)
        : base(scheduler)
    {
        _authority = authority;
        _stored = stored;
        _links = links;
        _wakeNode = new DelayedWake(authority.Clock, wakeNode);
        _wakeSelf = new DelayedWake(authority.Clock, Wake);
    }

    public SessionOpening Opening => _stored.Opening;

    /// <inheritdoc/>
    public SessionId Id => _stored.Id;

    /// <inheritdoc/>
    public LeaseTerms Terms => _authority.Terms;

    public StoredSession Stored => _stored;

    /// <inheritdoc/>
    public void Post(in ClientMessage message) => Queue(_posted, message);

    /// <inheritdoc/>
    public void Renew(in ClientMessage message) => Queue(_renewals, message);

    /// <inheritdoc/>
    public bool TryReceiveRenewal(out AuthorityMessage message)
    {
        message = default;
        bool isReceived = _authority.IsOpen(LinkDirection.ToNode, Opening.Node) && _stored.TryTakeRenewal(_authority.Clock.Now, out message);
        if (isReceived)
        {
            _links.Received(Opening.Node, message);
        }

        return isReceived;
    }

    /// <inheritdoc/>
    public bool TryReceive(out AuthorityMessage message)
    {
        message = default;
        if (!_authority.IsOpen(LinkDirection.ToNode, Opening.Node) || !_links.IsOpenForMessages(Opening.Node))
        {
            return false;
        }

        // What is durable is read first. A restart that forgets demands the end first: if that is not seen, what was read is from before, and else what the
        // session is still owed may tell of what is forgotten.
        long committed = _authority.Store.Log?.Committed ?? 0;

        // Edge END-5 (acquire; other end: END-1): moved up over the reading of what is durable, an acknowledgement of what is forgotten could be received.
        if (Volatile.Read(ref _isEndDue) >= IsCutOff && !_stored.HasEnded)
        {
            return false;
        }

        if (_stored.TryTakeOwed(_authority.Clock.Now, committed, out message))
        {
            _links.Received(Opening.Node, message);
            return true;
        }

        RingWhenDue();
        return false;
    }

    /// <summary>Wakes the node when the next thing it is owed is due.</summary>
    public void RingWhenDue()
    {
        long due = _stored.NextDue(_authority.Store.Log?.Committed ?? 0);
        if (due != long.MaxValue)
        {
            _wakeNode.At(due);
        }
    }

    /// <summary>Wakes both ends: the link may be open again.</summary>
    public void WakeBoth()
    {
        Wake();
        _wakeNode.At(long.MinValue);
    }

    /// <summary>Lets this session's own pump end it, so that nothing of it is handled afterwards; its rights are over with it.</summary>
    public bool EndSoon() => Demand(Ends);

    /// <summary>The same by its node's own word, which has nothing buffered any more under it.</summary>
    public bool CloseSoon() => Demand(Closes);

    /// <summary>Lets this session's own pump cut it off: nothing of it is handled afterwards, and its rights last until they run out.</summary>
    /// <returns>False when its end had been demanded before.</returns>
    public bool CutOffSoon() => Demand(IsCutOff);

    /// <summary>The same; and what it held cannot be had back in a later session.</summary>
    public bool EvictSoon() => Demand(IsEvicted);

    /// <summary>Lets this session's own pump end it if it is still silent then.</summary>
    public void EndIfSilentSoon() => Demand(EndsIfSilent);

    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        // Edge END-2 (acquire; other ends: END-1, END-3): read in every step, so that nothing is handled after the end is due.
        int endDue = Volatile.Read(ref _isEndDue);
        if (endDue == EndsIfSilent && !_authority.IsSilent(this, _authority.Clock.Now))
        {
            // Its renewal was under way when it was found silent. Renewals are taken in by this pump alone, so nothing comes in between now.
            // Edge END-3 (full fence; other ends: END-2, END-4): a demand to end in any case that came meanwhile stays.
            Interlocked.CompareExchange(ref _isEndDue, 0, EndsIfSilent);
        }
        else if (endDue != 0)
        {
            _authority.End(this, endDue switch
            {
                IsCutOff => SessionEnd.CutOff,
                IsEvicted => SessionEnd.Evicted,
                Closes => SessionEnd.Closed,
                _ => SessionEnd.Silent,
            });
            return false;
        }

        if (!_authority.IsOpen(LinkDirection.ToAuthority, Opening.Node))
        {
            return false;
        }

        long now = _authority.Clock.Now;
        if (_renewals.TryTake(now, out ClientMessage renewal))
        {
            _links.TakenIn(Opening.Node, renewal);
            _authority.TakeInRenewal(this, renewal, now);
            return true;
        }

        if (_posted.TryTake(now, out ClientMessage message))
        {
            _links.TakenIn(Opening.Node, message);
            _authority.TakeIn(this, message, now);
            return true;
        }

        long due = Math.Min(_posted.NextDue, _renewals.NextDue);
        if (due != long.MaxValue)
        {
            _wakeSelf.At(due);
        }

        return false;
    }

    private bool Demand(int end)
    {
        // Edge END-4 (acquire; other ends: END-1, END-3): what is exchanged below is compared again.
        int seen = Volatile.Read(ref _isEndDue);
        while (seen < end)
        {
            // Edge END-1 (full fence; other ends: END-2, END-4, END-5): set before the wake, so that the step that the wake causes sees it.
            int before = Interlocked.CompareExchange(ref _isEndDue, end, seen);
            if (before == seen)
            {
                break;
            }

            seen = before;
        }

        Wake();
        return seen < end;
    }

    private void Queue(MessageQueue<ClientMessage> queue, in ClientMessage message)
    {
        _links.Posted(Opening.Node, message);

        // Bound: what the links' policy says, one copy unless a fault is being tried.
        for (int copies = _links.Copies(LinkDirection.ToAuthority, Opening.Node); copies > 0; copies--)
        {
            queue.Add(message, _authority.Clock.Now + _links.Delay(LinkDirection.ToAuthority, Opening.Node));
        }

        Wake();
    }
}
