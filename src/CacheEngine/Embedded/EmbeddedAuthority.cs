using System.Collections.Concurrent;
using System.Collections.Immutable;
using CacheEngine.Authority;
using CacheEngine.Embedded;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>
/// An authority in this process, over records in its memory. It serves any number of caches through the same messages as a remote one.
/// </summary>
/// <remarks>
/// For a single process, for tests, and for trying CacheEngine out. Values are held by reference unless <see cref="EmbeddedAuthorityOptions.CopyValues"/>
/// is set. When the process dies, everything is lost. Thread-safe.
/// </remarks>
public sealed class EmbeddedAuthority : CacheAuthority
{
    private readonly EmbeddedAuthorityOptions _options;
    private readonly PumpScheduler _scheduler;
    private readonly LinkPolicy _links;
    private readonly ConcurrentDictionary<SessionId, AuthoritySession> _sessions = new();
    private readonly ConcurrentDictionary<Guid, AuthoritySession> _identities = new();
    private readonly ConcurrentDictionary<string, string> _shapes = new(StringComparer.Ordinal);
    private readonly LookAgainPump _lookAgain;
    private readonly ITimer _sessionTimer;
    private readonly DelayedWake? _commit;
    private readonly Announcements<BufferTakenEventArgs> _taken = new();
    private ImmutableHashSet<string> _isolated = ImmutableHashSet.Create<string>(StringComparer.Ordinal);
    private long _lastSession;
    private long _refusedMessages;
    private int _isDisposed;

    private EmbeddedAuthority(EmbeddedAuthorityOptions options, LeaseTerms terms)
    {
        _options = options;
        Terms = terms;
        Clock = new EngineClock(options.TimeProvider);
        _scheduler = options.Scheduler ?? InlinePumpScheduler.Instance;
        _links = options.Links ?? new FixedLatency((long)options.Latency.TotalMilliseconds);
        _lookAgain = new LookAgainPump(_scheduler, this);
        Store = new MemoryRecordStore(terms, _links, _lookAgain.Add)
        {
            Doorbell = Ring,
            Clock = Clock,
            Quota = options.Quota,
            Log = options.CommitDelay > TimeSpan.Zero ? new CommitLog() : null,
        };
        if (Store.Log is not null)
        {
            _commit = new DelayedWake(Clock, Commit);
            Store.Appended = () => _commit.At(Clock.Now + (long)options.CommitDelay.TotalMilliseconds);
        }

        _taken.Sender = this;
        Store.BufferWasTaken = taken =>
            _taken.Tell(new BufferTakenEventArgs(taken.Region, taken.Node, taken.Key, taken.KeptVersion, taken.Version));
        Store.Reincarnate(Clock.WallNow);
        TimeSpan period = TimeSpan.FromMilliseconds(terms.TermMilliseconds);
        _sessionTimer = options.TimeProvider.CreateTimer(static state => ((EmbeddedAuthority)state!).EndSilentSessions(), this, period, period);
    }

    /// <summary>Raised when the right to keep writes back was taken from a node without its word, so that writes may be undone that only it knew of: one call at a
    /// time, on a thread of the pool. The node itself, if it lives, reports exactly what it lost.</summary>
    public event EventHandler<BufferTakenEventArgs>? BufferTaken
    {
        add => _taken.Announced += value;
        remove => _taken.Announced -= value;
    }

    /// <inheritdoc/>
    public override TimeProvider TimeProvider => _options.TimeProvider;

    /// <summary>How many messages were refused because they were malformed or about nothing known. Zero in a healthy system.</summary>
    public long RefusedMessages => Volatile.Read(ref _refusedMessages);

    internal override bool CopiesValues => _options.CopyValues;

    internal EngineClock Clock { get; }

    private bool IsDisposed =>
        // Edge CLOSE-4 (acquire; other end: CLOSE-1): an end that follows the disposal sees it.
        Volatile.Read(ref _isDisposed) != 0;

    internal LeaseTerms Terms { get; }

    internal MemoryRecordStore Store { get; }

    /// <summary>Creates an authority.</summary>
    /// <exception cref="ArgumentException">The options contradict each other or are out of range; the message names the option and the rule.</exception>
    public static EmbeddedAuthority Create(EmbeddedAuthorityOptions? options = null)
    {
        options ??= new EmbeddedAuthorityOptions();
        ArgumentNullException.ThrowIfNull(options.TimeProvider);
        RequireRange(options.LeaseTerm, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), nameof(options.LeaseTerm));
        RequireRange(options.ClockGranularity, TimeSpan.Zero, TimeSpan.FromSeconds(1), nameof(options.ClockGranularity));
        RequireRange(options.Latency, TimeSpan.Zero, TimeSpan.FromMinutes(1), nameof(options.Latency));
        TimeSpan sessionTimeout = options.SessionTimeout ?? (5 * options.LeaseTerm);
        RequireRange(sessionTimeout, options.LeaseTerm, TimeSpan.FromDays(1), nameof(options.SessionTimeout));
        var terms = new LeaseTerms(
            (long)options.LeaseTerm.TotalMilliseconds,
            options.ClockDrift,
            (long)Math.Ceiling(options.ClockGranularity.TotalMilliseconds),
            (long)sessionTimeout.TotalMilliseconds);
        return new EmbeddedAuthority(options, terms);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        // Edge CLOSE-1 (full fence; other ends: CLOSE-2, CLOSE-3, CLOSE-4): one caller disposes, and openings that look later are refused.
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _sessionTimer.DisposeAsync().ConfigureAwait(EngineAwait.Captured);
        CutOffAll();
        _lookAgain.Dispose();
        _commit?.Dispose();
    }

    /// <summary>Does to its caches what a crash and restart of a remote authority would: all sessions are cut off, requests and answers under way are
    /// lost, the records and the rights in them stay. For trying out how a service takes it. Caches reopen their sessions by themselves.</summary>
    /// <exception cref="ObjectDisposedException">The authority is disposed.</exception>
    public void Restart() => Restart(cutsTail: false);

    /// <summary>The same; what was not durable yet is forgotten if asked for.</summary>
    internal void Restart(bool cutsTail)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        Store.Reincarnate(Clock.WallNow);
        CutOffAll();
        if (cutsTail)
        {
            Store.CutTail();

            // One that was opened meanwhile may be owed what is forgotten: until the commit it cannot have received it.
            CutOffAll();
        }

        Store.Log?.Commit();
    }

    private void CutOffAll()
    {
        foreach (AuthoritySession session in _sessions.Values)
        {
            session.CutOffSoon();
        }
    }

    /// <summary>Does to a node what pulling the plug of its machine would: nothing crosses any more between this authority and the caches of that name, in
    /// either direction, until <see cref="Rejoin"/>. Its rights last until they have run out, and nobody is told. For trying out how a service takes it.</summary>
    /// <remarks>The caches themselves go on: they serve until their lease has run out, and then their calls wait. A cache of that name that is opened
    /// meanwhile waits as well. What is under way is held back, not lost. A name that is isolated already, or that nobody bears, is no error.</remarks>
    /// <param name="nodeName">The <see cref="CoherentCacheOptions{TKey, TValue}.NodeName"/> of the caches; where none is set, the name of their region.</param>
    /// <exception cref="ArgumentException">The name is null or empty.</exception>
    /// <exception cref="ObjectDisposedException">The authority is disposed.</exception>
    public void Isolate(string nodeName)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeName);
        ObjectDisposedException.ThrowIf(IsDisposed, this);

        // Edge ISOLATE-1 (full fence; other end: ISOLATE-2): whoever looks after this call has returned finds the link closed.
        ImmutableInterlocked.Update(ref _isolated, static (isolated, name) => isolated.Add(name), nodeName);
    }

    /// <summary>Ends what <see cref="Isolate"/> began: what was held back comes through, and a node whose session has ended meanwhile learns it and opens
    /// another.</summary>
    /// <param name="nodeName">The name that was isolated; any other is no error.</param>
    /// <exception cref="ArgumentException">The name is null or empty.</exception>
    /// <exception cref="ObjectDisposedException">The authority is disposed.</exception>
    public void Rejoin(string nodeName)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeName);
        ObjectDisposedException.ThrowIf(IsDisposed, this);

        // Edge ISOLATE-3 (full fence; other end: ISOLATE-2): before the wakes; moved below them, their turns could find the link closed and sleep on.
        ImmutableInterlocked.Update(ref _isolated, static (isolated, name) => isolated.Remove(name), nodeName);
        WakeLinks();
    }

    /// <summary>Ends the sessions of a node as an operator's eviction does: nothing of them is taken in any more, requests and answers under way are lost,
    /// and their leases are not renewed.</summary>
    /// <remarks>The rights go on until the node is known to serve nothing by them, else values would be stale: a node that is evicted while it is well
    /// goes on serving until it hears of it. Its caches are told, drop what they held, report what they had not flushed as lost, and open new sessions by themselves, and that ends the old
    /// rights at once. Where nothing is heard of them, the rights end when the lease has provably run out, a term and the margin from this call at the
    /// latest. To keep a node out, <see cref="Isolate"/> it too.</remarks>
    /// <param name="nodeName">The <see cref="CoherentCacheOptions{TKey, TValue}.NodeName"/> of the caches; where none is set, the name of their region.</param>
    /// <returns>How many sessions were ended; not among them those that had been cut off before.</returns>
    /// <exception cref="ArgumentException">The name is null or empty.</exception>
    /// <exception cref="ObjectDisposedException">The authority is disposed.</exception>
    public int Evict(string nodeName)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeName);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        int ended = 0;
        foreach (AuthoritySession session in _sessions.Values)
        {
            if (session.Opening.Node == nodeName)
            {
                // At once: its node's claims must not overtake its end.
                session.Stored.Evict();
                ended += session.EvictSoon() ? 1 : 0;
            }
        }

        return ended;
    }

    /// <summary>Breaks a node's connection, for fault injection: what is under way in either direction is lost, and what it held is its own in its next session.</summary>
    internal void CutOff(string node)
    {
        foreach (AuthoritySession session in _sessions.Values)
        {
            if (session.Opening.Node == node)
            {
                session.CutOffSoon();
            }
        }
    }

    /// <inheritdoc/>
    internal override async ValueTask<ISessionLink> OpenSessionAsync(SessionOpening opening, Action wake, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await CrossAsync(LinkDirection.ToAuthority, opening.Node, cancellationToken).ConfigureAwait(EngineAwait.Captured);

        if (_links.Refuses(opening.Node))
        {
            throw new IOException($"The opening of '{opening.Node}' is refused.");
        }

        // Edge CLOSE-2 (acquire; other end: CLOSE-1): moved up over the crossing, an authority disposed meanwhile would still open a session.
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
        string shape = _shapes.GetOrAdd(opening.Region, opening.Shape);
        if (!string.Equals(shape, opening.Shape, StringComparison.Ordinal))
        {
            throw new SessionRejectedException(
                $"Region '{opening.Region}' holds {shape}; it cannot be opened as {opening.Shape}. All caches of a region must agree.");
        }

        var id = new SessionId(Interlocked.Increment(ref _lastSession));
        StoredSession stored = Store.AddSession(id, opening, Clock.Now);
        var session = new AuthoritySession(this, stored, _links, _scheduler, wake);
        _sessions[id] = session;
        Supersede(session);

        // Edge CLOSE-3 (acquire; other end: CLOSE-1): moved up, a session added while disposal swept would be seen by neither.
        if (Volatile.Read(ref _isDisposed) != 0)
        {
            session.CutOffSoon();
        }

        await CrossAsync(LinkDirection.ToNode, opening.Node, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        return session;
    }

    /// <summary>Takes in a renewal and answers it.</summary>
    internal void TakeInRenewal(AuthoritySession session, in ClientMessage message, long now)
    {
        if (MessageRules.Judge(message, session.Id) != MessageFault.None)
        {
            Interlocked.Increment(ref _refusedMessages);
            return;
        }

        session.Stored.TookIn(message.TookIn);
        if (session.Stored.TryRenew(message, now, now + _links.Delay(LinkDirection.ToNode, session.Opening.Node)))
        {
            session.RingWhenDue();
        }
    }

    /// <summary>Takes in a message: judged whole, then one transition of one record.</summary>
    internal void TakeIn(AuthoritySession session, in ClientMessage message, long now)
    {
        MessageFault fault = MessageRules.Judge(message, session.Id);
        if (fault == MessageFault.None && message.Kind == ClientMessageKind.Close)
        {
            if (message.IsClean)
            {
                session.CloseSoon();
            }
            else
            {
                session.EndSoon();
            }

            return;
        }

        // A message that cannot be taken uses its number up all the same: those behind it are no worse for it.
        Reception reception = fault == MessageFault.OtherSession ? Reception.Contradicts : session.Stored.Receive(message);
        if (reception == Reception.Gap)
        {
            // Something was lost on the way, perhaps an answer that somebody waits for: the session is not to be trusted.
            session.CutOffSoon();
        }

        if (fault != MessageFault.None || reception != Reception.Next)
        {
            // A repetition has had its effect, and its answer is owed or was taken in.
            bool isRepeated = fault == MessageFault.None && reception == Reception.Repeated;
            Interlocked.Add(ref _refusedMessages, isRepeated ? 0 : 1);
            return;
        }

        session.Stored.TookIn(message.TookIn);
        if (message.Kind == ClientMessageKind.ClaimsDone)
        {
            CloseEarlier(session, message.IsClean);
            return;
        }

        if (message.Kind == ClientMessageKind.Commit)
        {
            Commit();
            return;
        }

        InodeId id = message.Inode.IsKnown ? message.Inode : Store.Bind(session.Opening.Region, session.Opening.Source, message.Key);
        if (!Store.TryTransit(id, new RecordEvent(RecordEventKind.Message, session.Id, message), now))
        {
            Interlocked.Increment(ref _refusedMessages);
        }

        if (message.IsUrgent)
        {
            Commit();
        }
    }

    /// <summary>Ends a session and tells its node; called by the session's own pump.</summary>
    internal void End(AuthoritySession session, SessionEnd how)
    {
        // A disposed authority gives nobody's rights away: nodes that have not heard of it yet may still serve.
        long now = Clock.Now;
        how = how.EndsRights() && IsDisposed ? SessionEnd.CutOff : how;
        bool wasEvicted = session.Stored.IsEvicted;
        SessionEnding ending = session.Stored.End(how, now);
        if (ending == SessionEnding.None && (how != SessionEnd.Evicted || wasEvicted))
        {
            return;
        }

        RecordEventKind what = how.EventFor(ending, wasEvicted);
        foreach (InodeId id in session.Stored.Touched())
        {
            Store.TryTransit(id, new RecordEvent(what, session.Id), now);
        }

        if (ending is SessionEnding.CutOff or SessionEnding.Both)
        {
            session.Stored.TellEnd(now + _links.Delay(LinkDirection.ToNode, session.Opening.Node));
            session.RingWhenDue();
        }

        if (ending is SessionEnding.RightsOver or SessionEnding.Both)
        {
            Store.RemoveSession(session.Id);
            _sessions.TryRemove(session.Id, out _);
            _identities.TryRemove(KeyValuePair.Create(session.Opening.Identity, session));
        }
    }

    /// <summary>Makes everything so far durable, and lets those who wait for it know.</summary>
    private void Commit()
    {
        if (Store.Log is { } log)
        {
            log.Commit();
            foreach (AuthoritySession session in _sessions.Values)
            {
                session.RingWhenDue();
            }
        }
    }

    /// <summary>By its own word an engine uses nothing any more of what it had under earlier sessions.</summary>
    private void CloseEarlier(AuthoritySession session, bool isClean)
    {
        foreach (AuthoritySession older in _sessions.Values)
        {
            if (older.Opening.Identity == session.Opening.Identity && older.Id.Value < session.Id.Value)
            {
                _ = isClean ? older.CloseSoon() : older.EndSoon();
            }
        }
    }

    /// <summary>Looks at a record again because time has passed.</summary>
    internal void LookAgain(InodeId id) =>
        Store.TryTransit(id, new RecordEvent(RecordEventKind.TimePassed, default), Clock.Now);

    /// <summary>Whether messages come through now between this authority and a node.</summary>
    internal bool IsOpen(LinkDirection direction, string node)
    {
        // Edge ISOLATE-2 (acquire; other ends: ISOLATE-1, ISOLATE-3): a stale set lets one more message through, as if sent before, or waits for the wake.
        ImmutableHashSet<string> isolated = Volatile.Read(ref _isolated);
        return (isolated.IsEmpty || !isolated.Contains(node)) && _links.IsOpen(direction, node);
    }

    /// <summary>Wakes a node's links, or all: some may be open again.</summary>
    internal void WakeLinks(string? node = null)
    {
        foreach (AuthoritySession session in _sessions.Values)
        {
            if (node is null || session.Opening.Node == node)
            {
                session.WakeBoth();
            }
        }
    }

    private static void RequireRange(TimeSpan value, TimeSpan minimum, TimeSpan maximum, string name)
    {
        if (value < minimum || value > maximum)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be between {minimum} and {maximum}.");
        }
    }

    private async ValueTask CrossAsync(LinkDirection direction, string node, CancellationToken cancellationToken)
    {
        long delay = _links.Delay(direction, node);
        if (delay > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(delay), TimeProvider, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        }

        // Bound: until the link opens, the caller gives up or the authority is disposed, one look every ten milliseconds.
        while (!IsOpen(direction, node))
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        }
    }

    /// <summary>One live session per identity: the one before is cut off, and its rights last until they are claimed, given up, or have run out.</summary>
    private void Supersede(AuthoritySession session)
    {
        AuthoritySession? older = null;
        _identities.AddOrUpdate(session.Opening.Identity, session, (_, before) =>
        {
            older = before;
            return session;
        });
        older?.CutOffSoon();
    }

    /// <summary>Whether nothing was heard of a session for the session timeout.</summary>
    internal bool IsSilent(AuthoritySession session, long now) =>
        now - session.Stored.View.LastRenewedAt >= Terms.SessionTimeoutMilliseconds;

    private void Ring(SessionId id)
    {
        if (_sessions.TryGetValue(id, out AuthoritySession? session))
        {
            session.RingWhenDue();
        }
    }

    private void EndSilentSessions()
    {
        long now = Clock.Now;
        foreach (AuthoritySession session in _sessions.Values)
        {
            if (session.Stored.HasRunOut(Terms, now))
            {
                session.EndSoon();
            }
            else if (IsSilent(session, now))
            {
                session.EndIfSilentSoon();
            }
        }
    }
}
