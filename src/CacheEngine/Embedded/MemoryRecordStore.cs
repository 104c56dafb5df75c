using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Embedded;

/// <summary>
/// Records in this process's memory: a transition is atomic by the record's gate, and what sessions are owed is a queue each.
/// </summary>
/// <remarks>Process death loses all of it. Records are kept for ever: an object's version must not go back when it is removed and written again.</remarks>
internal sealed class MemoryRecordStore : IRecordStore
{
    private readonly ConcurrentDictionary<RegionKey, Entry> _byKey = new();
    private readonly ConcurrentDictionary<InodeId, Entry> _byId = new();
    private readonly ConcurrentDictionary<SessionId, StoredSession> _sessions = new();
    private readonly ConcurrentDictionary<SessionId, KeptSession> _kept = new();
    private readonly ConcurrentDictionary<string, string> _shapes = new(StringComparer.Ordinal);
    private readonly LeaseTerms _terms;
    private readonly LinkPolicy _links;
    private readonly Action<InodeId, long> _lookAgain;
    private long _incarnation;
    private long _lastInode;
    private long _lastCap;
    private long _lastSession;

    [ThreadStatic]
    private static List<StoredSession>? t_rung;

    /// <param name="terms">The lease terms of every session.</param>
    /// <param name="links">How long messages are under way.</param>
    /// <param name="lookAgain">Called, with no gate held, when a record must be looked at again at a given time.</param>
    public MemoryRecordStore(LeaseTerms terms, LinkPolicy links, Action<InodeId, long> lookAgain)
    {
        _terms = terms;
        _links = links;
        _lookAgain = lookAgain;
    }

    /// <inheritdoc/>
    /// <remarks>Memory forgets only with the process; what took its place before is known by the wall clock alone.</remarks>
    public Incarnation Incarnation =>
        // Edge INCARNATION-2 (acquire; other end: INCARNATION-1): a stale one only makes a smaller step, and numbers grow by the record's own.
        new(Volatile.Read(ref _incarnation));

    /// <inheritdoc/>
    public LeaseTerms Terms => _terms;

    /// <inheritdoc/>
    public Action<SessionId>? Doorbell { get; set; }

    /// <inheritdoc/>
    public Action<InodeId, long>? LookAgain { get; set; }

    /// <summary>The clock that a transition reads again while it is under way; null: only the time it was given counts.</summary>
    public EngineClock? Clock { get; init; }

    /// <summary>How much of one object a node may buffer.</summary>
    public SizeQuota Quota { get; init; } = new(64 * 1024, 64 * 1024 * 1024);

    /// <summary>What a crash may forget; null: nothing.</summary>
    public CommitLog? Log { get; init; }

    /// <summary>Told, with no gate held, when something is to become durable.</summary>
    public Action? Appended { get; set; }

    /// <summary>Told, with no gate held, when the right to buffer was taken from a session without its word.</summary>
    public Action<BufferTaken>? BufferWasTaken { get; set; }

    /// <summary>Starts the next incarnation.</summary>
    public void Reincarnate(long utcMilliseconds)
    {
        Incarnation seen = Incarnation;
        while (true)
        {
            // Edge INCARNATION-1 (full fence; other end: INCARNATION-2): before any session of the new life is opened, and never back.
            long before = Interlocked.CompareExchange(ref _incarnation, seen.Next(utcMilliseconds).Ordinal, seen.Ordinal);
            if (before == seen.Ordinal)
            {
                return;
            }

            seen = new Incarnation(before);
        }
    }

    /// <summary>Makes a session known.</summary>
    public StoredSession AddSession(SessionId id, SessionOpening opening, long now)
    {
        var session = new StoredSession(id, opening, now, withholds: Log is not null);
        _sessions[id] = session;
        return session;
    }

    /// <summary>Forgets a session that has ended and whose records have heard of it.</summary>
    public void RemoveSession(SessionId id) => _sessions.TryRemove(id, out _);

    /// <summary>The id of the object that a region's key names, bound for ever at its first mention, with the terms of its region.</summary>
    public InodeId Bind(string region, in SourceTerms source, ReadOnlyMemory<byte> key)
    {
        var named = new RegionKey(region, key);
        if (_byKey.TryGetValue(named, out Entry? found))
        {
            return found.Record.Id;
        }

        byte[] kept = key.ToArray();
        var fresh = new Entry(this, region, kept, source, new InodeId(Interlocked.Increment(ref _lastInode)));
        _byId[fresh.Record.Id] = fresh;
        Entry bound = _byKey.GetOrAdd(new RegionKey(region, kept), fresh);
        if (!ReferenceEquals(bound, fresh))
        {
            _byId.TryRemove(fresh.Record.Id, out _);
        }

        return bound.Record.Id;
    }

    /// <summary>Applies an event to one record, atomically; what it makes sessions be owed is kept with it.</summary>
    /// <returns>False when there is no such record, or the session may not speak of it.</returns>
    public bool TryTransit(InodeId id, in RecordEvent what, long now)
    {
        if (!_byId.TryGetValue(id, out Entry? entry) || (what.Kind == RecordEventKind.Message && !entry.IsOpenTo(what.Session)))
        {
            return false;
        }

        // One list a thread, taken out while it is in use: a doorbell may lead back here.
        List<StoredSession> rung = t_rung ?? new List<StoredSession>(16);
        t_rung = null;
        entry.Apply(what, now, rung, out StoredSession? touchedBy, out long lookAgainAt, out BufferTaken? taken);
        if (taken is not null)
        {
            BufferWasTaken?.Invoke(taken);
        }

        if (Log is not null)
        {
            Appended?.Invoke();
        }

        // What may allocate or ring waits until the gate is left.
        touchedBy?.Touch(id);
        if (lookAgainAt != long.MaxValue)
        {
            _lookAgain(id, lookAgainAt);
            LookAgain?.Invoke(id, lookAgainAt);
        }

        foreach (StoredSession session in rung)
        {
            Doorbell?.Invoke(session.Id);
        }

        rung.Clear();
        t_rung = rung;
        return true;
    }

    /// <summary>Takes the next thing that a session is owed, in order.</summary>
    public bool TryTakeOwed(SessionId session, long now, out AuthorityMessage message)
    {
        message = default;
        return _sessions.TryGetValue(session, out StoredSession? stored) && stored.TryTakeOwed(now, Log?.Committed ?? 0, out message);
    }

    /// <summary>Every record's rights, for tests of the never-together rule; each record is looked at under its own gate.</summary>
    public void Inspect(Action<RecordState> look)
    {
        foreach (Entry entry in _byId.Values)
        {
            entry.Inspect(look);
        }
    }

    /// <summary>Goes back to what was durable: the changes since are forgotten, with every request that waits.</summary>
    public void CutTail()
    {
        foreach ((RecordState record, RecordState before) in Log?.Cut() ?? [])
        {
            if (_byId.TryGetValue(record.Id, out Entry? entry))
            {
                entry.Restore(before);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<SessionId> OpenAsync(SessionOpening opening, CancellationToken cancellationToken)
    {
        string shape = _shapes.GetOrAdd(opening.Region, opening.Shape);
        if (!string.Equals(shape, opening.Shape, StringComparison.Ordinal))
        {
            return ValueTask.FromException<SessionId>(new SessionRejectedException($"Region '{opening.Region}' holds {shape}, not {opening.Shape}."));
        }

        var id = new SessionId(Interlocked.Increment(ref _lastSession));
        foreach (KeptSession older in _kept.Values)
        {
            if (older.Stored.Opening.Identity == opening.Identity)
            {
                End(older, SessionEnd.CutOff);
            }
        }

        _kept[id] = new KeptSession(AddSession(id, opening, Now));
        return ValueTask.FromResult(id);
    }

    /// <inheritdoc/>
    public ValueTask<SessionStanding> ApplyAsync(
        SessionId session, ReadOnlyMemory<ClientMessage> messages, MessageSeq after, List<AuthorityMessage> owed, CancellationToken cancellationToken)
    {
        if (!_kept.TryGetValue(session, out KeptSession? kept))
        {
            return ValueTask.FromResult(SessionStanding.Over);
        }

        int refused = 0;
        foreach (ref readonly ClientMessage message in messages.Span)
        {
            refused += kept.IsOpen && TryTakeIn(kept, message) ? 0 : 1;
        }

        return ValueTask.FromResult(kept.Fetch(after, owed, refused));
    }

    /// <inheritdoc/>
    public ValueTask<SessionStanding> FetchAsync(
        SessionId session, MessageSeq after, List<AuthorityMessage> owed, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_kept.TryGetValue(session, out KeptSession? kept) ? kept.Fetch(after, owed, refused: 0) : SessionStanding.Over);

    /// <inheritdoc/>
    public ValueTask<SessionStanding> RenewAsync(SessionId session, ClientMessage renewal, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_kept.TryGetValue(session, out KeptSession? kept) ? kept.Renew(renewal, Now) : SessionStanding.Over);

    /// <inheritdoc/>
    public ValueTask LookAsync(InodeId id, CancellationToken cancellationToken)
    {
        _ = TryTransit(id, new RecordEvent(RecordEventKind.TimePassed, default), Now);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask EndAsync(SessionId session, bool rightsAreOver, CancellationToken cancellationToken)
    {
        if (_kept.TryGetValue(session, out KeptSession? kept))
        {
            End(kept, rightsAreOver ? SessionEnd.Silent : SessionEnd.CutOff);
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask SweepAsync(CancellationToken cancellationToken)
    {
        long now = Now;
        foreach (KeptSession kept in _kept.Values)
        {
            bool isSilent = kept.IsOpen && now - kept.Stored.View.LastRenewedAt >= _terms.SessionTimeoutMilliseconds;
            if (isSilent || kept.Stored.HasRunOut(_terms, now))
            {
                End(kept, SessionEnd.Silent);
            }
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => default;

    private long Now => Clock?.Now ?? throw new InvalidOperationException("A store that is reached through its contract needs a clock.");

    private bool TryTakeIn(KeptSession kept, in ClientMessage message)
    {
        if (MessageRules.Judge(message, kept.Stored.Id) != MessageFault.None || message.Kind == ClientMessageKind.Renew)
        {
            return false;
        }

        if (message.Kind == ClientMessageKind.Close)
        {
            End(kept, message.IsClean ? SessionEnd.Closed : SessionEnd.Silent);
            return true;
        }

        Reception reception = kept.Stored.Receive(message);
        if (reception != Reception.Next)
        {
            return reception == Reception.Repeated;
        }

        kept.Stored.TookIn(message.TookIn);
        if (message.Kind is ClientMessageKind.ClaimsDone or ClientMessageKind.Commit)
        {
            if (message.Kind == ClientMessageKind.ClaimsDone)
            {
                EndEarlier(kept.Stored, message.IsClean);
            }

            return true;
        }

        SessionOpening opening = kept.Stored.Opening;
        InodeId id = message.Inode.IsKnown ? message.Inode : Bind(opening.Region, opening.Source, message.Key);
        return TryTransit(id, new RecordEvent(RecordEventKind.Message, kept.Stored.Id, message), Now);
    }

    /// <summary>By its own word an engine uses nothing any more of what it had under earlier sessions.</summary>
    private void EndEarlier(StoredSession session, bool isClean)
    {
        foreach (KeptSession older in _kept.Values)
        {
            if (older.Stored.Opening.Identity == session.Opening.Identity && older.Stored.Id.Value < session.Id.Value)
            {
                End(older, isClean ? SessionEnd.Closed : SessionEnd.Silent);
            }
        }
    }

    private void End(KeptSession kept, SessionEnd how)
    {
        kept.Close();
        long now = Now;
        SessionEnding ending = kept.Stored.End(how, now);
        if (ending == SessionEnding.None)
        {
            return;
        }

        RecordEventKind what = how.EventFor(ending, kept.Stored.IsEvicted);
        foreach (InodeId id in kept.Stored.Touched())
        {
            _ = TryTransit(id, new RecordEvent(what, kept.Stored.Id), now);
        }

        if (ending != SessionEnding.CutOff)
        {
            RemoveSession(kept.Stored.Id);
            _kept.TryRemove(kept.Stored.Id, out _);
        }
    }

    private readonly struct RegionKey(string region, ReadOnlyMemory<byte> key) : IEquatable<RegionKey>
    {
        private readonly string _region = region;
        private readonly ReadOnlyMemory<byte> _key = key;

        public bool Equals(RegionKey other) =>
            string.Equals(_region, other._region, StringComparison.Ordinal) && _key.Span.SequenceEqual(other._key.Span);

        public override bool Equals([NotNullWhen(true)] object? obj) => obj is RegionKey other && Equals(other);

        public override int GetHashCode()
        {
            ulong region = KeyHash.OfBytes(MemoryMarshal.AsBytes(_region.AsSpan()), 0);
            return (int)KeyHash.OfBytes(_key.Span, region);
        }
    }

    /// <summary>A record with its gate, and the world as the transition under way sees it.</summary>
    private sealed class Entry(MemoryRecordStore store, string region, byte[] key, SourceTerms source, InodeId id) : IRecordContext
    {
        private SpinGate _gate;
        private long _now;
        private long _lookAgainAt;
        private StoredSession? _touchedBy;
        private List<StoredSession>? _rung;
        private BufferTaken? _taken;
        private long _position;

        public RecordState Record { get; } = new(id);

        /// <summary>Whether the session may speak of this record: a session that is over may not, nor one of another region.</summary>
        public bool IsOpenTo(SessionId session) =>
            store._sessions.TryGetValue(session, out StoredSession? stored) && string.Equals(stored.Opening.Region, region, StringComparison.Ordinal);

        public long Now => store.Clock is { } clock ? Math.Max(_now, clock.Now) : _now;

        public LeaseTerms Terms => store._terms;

        public SourceTerms Source => source;

        public Incarnation Incarnation => store.Incarnation;

        public void Apply(in RecordEvent what, long now, List<StoredSession> rung, out StoredSession? touchedBy, out long lookAgainAt, out BufferTaken? taken)
        {
            _gate.Enter(LockLevel.Record);
            try
            {
                _now = now;
                _lookAgainAt = long.MaxValue;
                _touchedBy = null;
                _rung = rung;
                _taken = null;
                _position = store.Log?.Append(Record) ?? 0;
                RecordArbiter.Apply(Record, what, this);
            }
            finally
            {
                touchedBy = _touchedBy;
                taken = _taken;
                lookAgainAt = _lookAgainAt;
                _rung = null;
                _gate.Leave(LockLevel.Record);
            }
        }

        /// <summary>Goes back to an earlier state. Sessions may have been followed by others meanwhile: an engine's grants are in its newest one, so that nobody
        /// takes from it what it still has.</summary>
        public void Restore(RecordState before)
        {
            _gate.Enter(LockLevel.Record);
            try
            {
                Record.CopyFrom(before);
                Record.Requests.Clear();
                foreach (Holder holder in Record.Holders)
                {
                    foreach (StoredSession session in store._sessions.Values)
                    {
                        if (session.Opening.Engine == holder.State.Engine && session.Id.Value > holder.State.Session.Value)
                        {
                            holder.State.Session = session.Id;
                            session.Touch(Record.Id);
                        }
                    }
                }
            }
            finally
            {
                _gate.Leave(LockLevel.Record);
            }
        }

        public void Inspect(Action<RecordState> look)
        {
            _gate.Enter(LockLevel.Record);
            try
            {
                look(Record);
            }
            finally
            {
                _gate.Leave(LockLevel.Record);
            }
        }

        public EngineId EngineOf(SessionId session) =>
            store._sessions.TryGetValue(session, out StoredSession? stored) ? stored.Opening.Engine : default;

        public SizeQuota Quota => store.Quota;

        public bool IsVolatile => store.Log is not null;

        public void BufferTaken(RecordState record, SessionId session, long keptVersion) =>
            _taken = new BufferTaken(
                region,
                store._sessions.TryGetValue(session, out StoredSession? of) ? of.Opening.Node : string.Empty,
                key,
                record.Id,
                keptVersion,
                record.Version,
                record.HasValue ? record.Payload : default,
                Now);

        public SessionView View(SessionId session) =>
            store._sessions.TryGetValue(session, out StoredSession? stored) ? stored.View : new SessionView(0, default, HasEnded: true);

        public MessageSeq Owe(SessionId session, ref AuthorityMessage message)
        {
            if (!store._sessions.TryGetValue(session, out StoredSession? stored))
            {
                return default;
            }

            long due = _now + store._links.Delay(LinkDirection.ToNode, stored.Opening.Node);

            // Nobody is told of what may still be forgotten, except that a flush has come.
            bool isTold = store.Log is null || message is { Kind: AuthorityMessageKind.Flushed, IsDurable: false };
            MessageSeq seq = stored.Owe(ref message, due, isTold ? 0 : _position);
            if (!_rung!.Contains(stored))
            {
                _rung.Add(stored);
            }

            return seq;
        }

        public CapId NewCapId() => new((ulong)Interlocked.Increment(ref store._lastCap));

        public void Touched(RecordState record, SessionId session) =>
            _touchedBy = store._sessions.TryGetValue(session, out StoredSession? stored) ? stored : null;

        public void LookAgain(RecordState record, long at) => _lookAgainAt = Math.Min(_lookAgainAt, at);
    }
}
