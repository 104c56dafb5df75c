using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>The sizes and bounds of one engine.</summary>
internal sealed record EngineOptions
{
    public required SessionOpening Opening { get; init; }

    public required TimeProvider TimeProvider { get; init; }

    public required int MaxEntries { get; init; }

    public required int MaxOperations { get; init; }

    public required TimeSpan OperationTimeout { get; init; }

    public required PumpScheduler Scheduler { get; init; }
}

/// <summary>
/// The composition root of one node: builds the rooms, connects them, starts and stops them. It decides nothing: decisions are made in
/// CacheEngine.Core, state is changed in the inode's gate, and this class carries the effects outside.
/// </summary>
internal sealed class Engine : IAsyncDisposable
{
    /// <summary>How much further than the monotonic clock the wall clock may go between two ticks, beside the tick itself.</summary>
    private const long SuspendAllowanceMilliseconds = 500;

    private const int OutboxShards = 4;

    private static readonly TimeSpan ReopenDelay = TimeSpan.FromMilliseconds(100);

    private readonly EngineOptions _options;
    private readonly CacheAuthority _authority;
    private readonly InodeTable _table;
    private readonly OperationPool _operations;
    private readonly InodeActivityPool _activities = new();
    private readonly OperationLedger _ledger;
    private readonly Outbox _outbox = new(OutboxShards);
    private readonly OutboundPump _outbound;
    private readonly InboundPump _inbound;
    private readonly TimerPump _timerPump;
    private readonly Action _wakeInbound;
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _timer;
    private long _lastTickAt;
    private long _lastWallAt;
    private int _disposed;
    private long _revokes;
    private long _questions;

    public Engine(CacheAuthority authority, InodeTable table, EngineOptions options)
    {
        _authority = authority;
        _table = table;
        _options = options;
        Clock = new EngineClock(options.TimeProvider);
        Session = new Session();
        Pool = new CapPool(options.MaxEntries, maxSpares: 1024, shards: 4 * Environment.ProcessorCount);
        _operations = new OperationPool(Cancel);
        _ledger = new OperationLedger(options.MaxOperations);
        _outbound = new OutboundPump(options.Scheduler, _outbox, Session, OnOpened);
        _inbound = new InboundPump(options.Scheduler, this);
        _timerPump = new TimerPump(options.Scheduler, this);
        _wakeInbound = _inbound.Wake;
    }

    public EngineClock Clock { get; }

    public Session Session { get; }

    public CapPool Pool { get; }

    public bool IsDisposed =>
        // Edge DISPOSE-2 (acquire; other end: DISPOSE-1): read again after listing an operation. Either the sweep finds the operation, or it left the
        // inode's gate before the operation entered, and then this read sees the flag; read earlier, neither would be sure and a caller would hang.
        Volatile.Read(ref _disposed) != 0;

    /// <summary>How many revokes have been taken in.</summary>
    public long Revokes => Volatile.Read(ref _revokes);

    /// <summary>How many questions have been asked of the authority.</summary>
    public long Questions => Volatile.Read(ref _questions);

    public int OperationsInFlight => _ledger.Count;

    /// <summary>Opens the session and starts the timer.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        long askedAt = Clock.Now;
        ISessionLink link = await _authority.OpenSessionAsync(_options.Opening, _wakeInbound, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        Session.Open(link, askedAt);
        _lastTickAt = Clock.Now;
        _lastWallAt = Clock.WallNow;
        var period = TimeSpan.FromMilliseconds(Math.Clamp(link.Terms.RenewIntervalMilliseconds / 4, 1, 250));
        _timer = Clock.Provider.CreateTimer(static state => ((TimerPump)state!).Tick(), _timerPump, period, period);
    }

    /// <inheritdoc cref="ReadAsync{TKey, TValue}(Inode{TKey, TValue}, OperationKind, LoadFlight?, KeyIdentity{TKey}, ref CapReservation, CancellationToken)"/>
    public ValueTask<OperationResult> ReadAsync<TKey, TValue>(
        Inode<TKey, TValue> inode, OperationKind kind, LoadFlight? flight, KeyIdentity<TKey> identity, CancellationToken cancellationToken)
        where TKey : notnull
    {
        CapReservation caps = default;
        try
        {
            return ReadAsync(inode, kind, flight, identity, ref caps, cancellationToken);
        }
        finally
        {
            caps.Dispose();
        }
    }

    /// <summary>Waits for a value or for the duty to load it. Needs no message if the answer is known under a right.</summary>
    /// <param name="inode">The object.</param>
    /// <param name="kind">Read or load.</param>
    /// <param name="flight">The load that asks, if it is one: it learns in the same step what its answer is good for.</param>
    /// <param name="identity">Encodes the key, the first time it is mentioned to the authority.</param>
    /// <param name="caps">Where a cap object is drawn from if the inode has none yet; may be empty.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">A stated bound is reached; nothing was changed.</exception>
    public ValueTask<OperationResult> ReadAsync<TKey, TValue>(
        Inode<TKey, TValue> inode,
        OperationKind kind,
        LoadFlight? flight,
        KeyIdentity<TKey> identity,
        ref CapReservation caps,
        CancellationToken cancellationToken)
        where TKey : notnull
    {
        byte[]? key = inode.UnguardedId.IsKnown ? null : identity.Encode(inode.Key);
        long now = Clock.Now;
        Operation operation = Rent(kind, inode, now, default, null, 0);
        operation.Flight = flight;
        EnsureCap(inode, ref caps);
        InodeActivity? spare = _activities.Rent();
        OperationResult known;
        bool isFull = false;
        using (Inode.Hold hold = inode.Enter())
        {
            // Edge LEASE-2 (full fence in the ledger's gate; other end: LEASE-1): in the ledger first, then judged. Whoever regains the lease sweeps the
            // ledger after moving the deadline, so either the sweep finds this operation or this operation finds the lease.
            bool isEntered = _ledger.TryAdd(operation);
            hold.Expire(now);
            known = hold.TryAnswer(kind, Session, now);
            if (known.Status != OperationStatus.Pending)
            {
                Inode.Hold.Answered(flight, known);
                if (isEntered)
                {
                    _ledger.Remove(operation);
                }
            }
            else if (!isEntered)
            {
                isFull = true;
            }
            else
            {
                Prepare(hold, ref spare, ref caps, key);
                hold.AddWaiter(operation);
                Ask(inode, hold, now);
            }
        }

        ReturnSpare(spare);
        return Finish(operation, known, isFull, cancellationToken);
    }

    /// <summary>Sends a write or remove. From here on this node serves nothing for the key until the authority has answered.</summary>
    /// <exception cref="InvalidOperationException">A stated bound is reached; nothing was changed.</exception>
    public ValueTask<OperationResult> WriteAsync<TKey, TValue>(
        Inode<TKey, TValue> inode,
        OperationKind kind,
        KeyIdentity<TKey> identity,
        Payload payload,
        object? localValue,
        CancellationToken cancellationToken)
        where TKey : notnull
    {
        byte[]? key = inode.UnguardedId.IsKnown ? null : identity.Encode(inode.Key);
        Operation operation = Rent(kind, inode, Clock.Now, payload, localValue, 0);
        CapReservation caps = default;
        bool isFull;
        try
        {
            EnsureCap(inode, ref caps);
            InodeActivity? spare = _activities.Rent();
            using (Inode.Hold hold = inode.Enter())
            {
                isFull = !_ledger.TryAdd(operation);
                if (!isFull)
                {
                    Prepare(hold, ref spare, ref caps, key);
                    hold.BeginWrite(operation);
                    _outbox.Append(operation, inode.Cookie);
                }
            }

            ReturnSpare(spare);
        }
        finally
        {
            caps.Dispose();
        }

        return Finish(operation, default, isFull, cancellationToken);
    }

    /// <summary>Sends a loaded value to be stored, if the right it was loaded under still stands; else the outcome is refused.</summary>
    public ValueTask<OperationResult> FillAsync(Inode inode, Payload payload, object? localValue, uint epoch)
    {
        Operation operation = Rent(OperationKind.Fill, inode, Clock.Now, payload, localValue, epoch);
        InodeActivity? spare = _activities.Rent();
        CapReservation none = default;
        OperationResult known = default;
        bool isEntered;
        using (Inode.Hold hold = inode.Enter())
        {
            isEntered = _ledger.TryAdd(operation);
            if (isEntered)
            {
                Prepare(hold, ref spare, ref none, null);
                if (hold.TryBeginFill(operation, Session.Generation))
                {
                    _outbox.Append(operation, inode.Cookie);
                }
                else
                {
                    _ledger.Remove(operation);
                    known = new OperationResult(OperationStatus.Refused);
                }
            }
        }

        ReturnSpare(spare);
        if (!isEntered)
        {
            // No room to store it: the value is its callers' all the same, and the right goes back so that others can load.
            Abandon(inode, epoch);
            known = new OperationResult(OperationStatus.Refused);
        }

        return Finish(operation, known, isFull: false, CancellationToken.None);
    }

    /// <summary>Gives an exclusive right back without a value.</summary>
    public void Abandon(Inode inode, uint epoch)
    {
        using (Inode.Hold hold = inode.Enter())
        {
            if (hold.Abandon(epoch, Session.Generation))
            {
                _outbox.Append(hold.Cap!, inode.Cookie);
            }

            Ask(inode, hold, Clock.Now);
        }

        _outbound.Wake();
    }

    /// <summary>Joins the load of an inode or starts one.</summary>
    public LoadFlight JoinOrStart(Inode inode, LoadFlight fresh)
    {
        CapReservation caps = default;
        InodeActivity? spare = _activities.Rent();
        LoadFlight flight;
        try
        {
            EnsureCap(inode, ref caps);
            using Inode.Hold hold = inode.Enter();
            Prepare(hold, ref spare, ref caps, null);
            flight = hold.JoinOrStart(fresh, Session, Clock.Now);
        }
        finally
        {
            caps.Dispose();
            ReturnSpare(spare);
        }

        return flight;
    }

    /// <summary>Ends a load for those who come later.</summary>
    public void EndFlight(Inode inode, LoadFlight flight)
    {
        InodeActivity? idle;
        using (Inode.Hold hold = inode.Enter())
        {
            hold.EndFlight(flight);
            idle = hold.DetachIdle();
        }

        ReturnSpare(idle);
    }

    /// <summary>Publishes a value that this node made or decoded, if the right still stands.</summary>
    public bool TryPublish(Inode inode, object? value, long version, uint epoch, long expiry)
    {
        using Inode.Hold hold = inode.Enter();
        return hold.TryPublish(value, version, epoch, Session.Generation, expiry);
    }

    /// <summary>Ends a use of rights; answers a revoke that waited for it.</summary>
    public void Put(Inode inode, CapSet had)
    {
        bool owes;
        using (Inode.Hold hold = inode.Enter())
        {
            owes = hold.Put(had);
            if (owes)
            {
                _outbox.Append(hold.Cap!, inode.Cookie);
            }
        }

        if (owes)
        {
            _outbound.Wake();
        }
    }

    /// <summary>Takes in one message: judged whole, applied under the inode's gate, then counted as taken in.</summary>
    public void TakeIn(in AuthorityMessage message, ISessionLink link)
    {
        MessageFault fault = MessageRules.Judge(message, link.Id, Session.TookIn);
        if (fault == MessageFault.OtherSession)
        {
            return;
        }

        if (fault != MessageFault.None || message.Kind == AuthorityMessageKind.SessionEnded)
        {
            // A gap or a message that cannot be understood may hide a revoke: the session's rights are not to be trusted any more.
            LoseSession();
            return;
        }

        long now = Clock.Now;
        var done = default(OperationList);
        Inode? inode = _table.Find(message.Cookie, message.Inode) ?? _table.FindAsking(message.Cookie, message.RequestId);
        if (inode is { HasCap: true })
        {
            Apply(message, inode, now, ref done);
        }
        else if (message.Kind is AuthorityMessageKind.Grant or AuthorityMessageKind.Revoke && message.Cap.Value != 0)
        {
            ReleaseUnknown(message, link);
        }

        long before = Session.Deadline;
        bool moved = Session.Took(message.Sequence);
        CompleteAll(ref done);
        OnLeaseMoved(moved, before);

        _outbound.Wake();
    }

    /// <summary>Takes in the answer to a renewal.</summary>
    public void TakeInRenewal(in AuthorityMessage message, ISessionLink link)
    {
        if (MessageRules.Judge(message, link.Id, Session.TookIn) != MessageFault.None || message.Kind != AuthorityMessageKind.Renewed)
        {
            return;
        }

        long now = Clock.Now;
        long before = Session.Deadline;
        bool moved = Session.Renewed(message, link.Terms, now);
        OnLeaseMoved(moved, before);
    }

    /// <summary>What the timer does, at most a quarter of the renewal interval apart.</summary>
    public void OnTick()
    {
        if (IsDisposed)
        {
            return;
        }

        long now = Clock.Now;
        long wall = Clock.WallNow;
        if (SuspendDecision.Decide(now - _lastTickAt, wall - _lastWallAt, SuspendAllowanceMilliseconds))
        {
            Session.VoidLease();
        }

        _lastTickAt = now;
        _lastWallAt = wall;
        if (Session.Link is { } link && Session.TryRenew(now, out RenewSeq seq))
        {
            link.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = link.Id, Renew = seq, TookIn = Session.TookIn });
        }

        EndOverdue(now);

        // The doorbell may have been rung in vain or not at all.
        _inbound.Wake();
        _outbound.Wake();
    }

    /// <summary>Gives the session up if the authority must have done so; called by the inbound pump, so that nothing is taken in meanwhile.</summary>
    public bool TryTimeOut()
    {
        bool hasTimedOut = Session.HasTimedOut(Clock.Now);
        if (hasTimedOut)
        {
            LoseSession();
        }

        return hasTimedOut;
    }

    /// <summary>Ends the wait of a caller that gave up. A read is forgotten; a write stays under way and its outcome is unknown.</summary>
    public void Cancel(Operation operation) => EndEarly(operation.Inode, operation.Ticket, OperationStatus.Canceled);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Edge DISPOSE-1 (full fence; other end: DISPOSE-2): set before the sweep; moved below it, an operation listed behind the sweep would not be ended.
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _stopping.Cancel();
        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(EngineAwait.Captured);
        }

        CloseSession();
        _table.Visit(EndAll);
    }

    private Operation Rent(OperationKind kind, Inode inode, long now, Payload payload, object? localValue, uint epoch)
    {
        if (IsDisposed)
        {
            throw new ObjectDisposedException("CoherentCache");
        }

        Operation operation = _operations.Rent();
        long deadline = now + (long)_options.OperationTimeout.TotalMilliseconds;
        operation.Prepare(kind, inode, _ledger.NextTicket(), deadline, payload, localValue, epoch);
        return operation;
    }

    private void EnsureCap(Inode inode, ref CapReservation caps)
    {
        if (!inode.HasCap && caps.Count == 0)
        {
            caps = Pool.Reserve(1);
        }
    }

    private static void Prepare(in Inode.Hold hold, ref InodeActivity? spare, ref CapReservation caps, byte[]? key)
    {
        if (!hold.HasCap)
        {
            hold.Attach(caps.Take());
        }

        if (!hold.HasActivity)
        {
            hold.Attach(spare!);
            spare = null;
        }

        if (key is not null)
        {
            hold.Introduce(key);
        }
    }

    private void Ask(Inode inode, in Inode.Hold hold, long now)
    {
        if (hold.TryAsk(Session, _ledger.NextTicket(), now) is { } question)
        {
            Interlocked.Increment(ref _questions);
            _outbox.Append(question, inode.Cookie);
        }
    }

    /// <summary>Leaves the synchronous part of an operation: sends, runs what can run at once, and hands out the wait.</summary>
    private ValueTask<OperationResult> Finish(Operation operation, in OperationResult known, bool isFull, CancellationToken cancellationToken)
    {
        if (known.Status != OperationStatus.Pending || isFull)
        {
            // Never listed: the list's ownership ends here, the caller's with the result.
            operation.Discard();
            return isFull
                ? throw new InvalidOperationException($"The limit of {_options.MaxOperations} operations in flight (MaxOperations) is reached.")
                : new ValueTask<OperationResult>(known);
        }

        ValueTask<OperationResult> wait = operation.Task;
        operation.CancelOn(cancellationToken);
        _outbound.Wake();
        if (IsDisposed)
        {
            // Dispose may have swept before this operation was listed.
            EndAll(operation.Inode);
        }

        return wait;
    }

    private void Apply(in AuthorityMessage message, Inode inode, long now, ref OperationList done)
    {
        InodeActivity? idle;
        using (Inode.Hold hold = inode.Enter())
        {
            bool owes;
            switch (message.Kind)
            {
                case AuthorityMessageKind.Grant:
                    owes = hold.ApplyGrant(message, Session, now, ref done);
                    break;
                case AuthorityMessageKind.Revoke:
                    Volatile.Write(ref _revokes, _revokes + 1);
                    owes = hold.ApplyRevoke(message, Session);
                    break;
                default:
                    owes = hold.ApplyWritten(message, Session, ref done);
                    hold.AnswerKnown(Session, now, ref done);
                    break;
            }

            if (owes)
            {
                _outbox.Append(hold.Cap!, inode.Cookie);
            }

            Ask(inode, hold, now);
            idle = hold.DetachIdle();
        }

        ReturnSpare(idle);
    }

    private void ReleaseUnknown(in AuthorityMessage message, ISessionLink link)
    {
        // The authority would wait for an answer that nobody else can give.
        var release = new ClientMessage
        {
            Kind = ClientMessageKind.Release,
            Inode = message.Inode,
            Cookie = message.Cookie,
            Cap = message.Cap,
            Seq = message.Seq,
        };
        _outbox.Append(new UnknownCapRelease(release, link.Id), message.Cookie);
    }

    private void CompleteAll(ref OperationList done)
    {
        while (done.TakeFirst() is { } operation)
        {
            if (operation.TryClaim())
            {
                OperationResult result = operation.Result;
                _ledger.Remove(operation);
                operation.Complete(result);
            }

            operation.Unlisted();
        }
    }

    private void OnLeaseMoved(bool moved, long before)
    {
        // The clock is read after the move: before it nobody can have found the lease lapsed if it has not passed the old deadline even now.
        // Edge LEASE-1 (full fence; other end: LEASE-2): with the move still in this core's store buffer, an operation could find the lease lapsed later.
        Interlocked.MemoryBarrier();
        if (moved && Clock.Now >= before)
        {
            OnLeaseRegained();
        }
    }

    private void OnLeaseRegained()
    {
        foreach (Inode inode in _ledger.SnapshotInodes())
        {
            Reconsider(inode);
        }

        _outbound.Wake();
    }

    private void Reconsider(Inode inode)
    {
        var done = default(OperationList);
        InodeActivity? idle;
        long now = Clock.Now;
        using (Inode.Hold hold = inode.Enter())
        {
            hold.AnswerKnown(Session, now, ref done);
            Ask(inode, hold, now);
            idle = hold.DetachIdle();
        }

        ReturnSpare(idle);
        CompleteAll(ref done);
    }

    private void EndOverdue(long now)
    {
        // Bound: each round ends the oldest operation, or somebody else is ending it right now.
        while (_ledger.TryPeekOldest(out Inode? inode, out long ticket, out long deadline) && deadline <= now)
        {
            if (!EndEarly(inode!, ticket, OperationStatus.Unavailable))
            {
                return;
            }
        }
    }

    private bool EndEarly(Inode inode, long ticket, OperationStatus status)
    {
        var done = default(OperationList);
        Operation? write = null;
        InodeActivity? idle;
        using (Inode.Hold hold = inode.Enter())
        {
            bool ended = hold.TryEndWaiter(ticket, status, ref done);
            if (!ended && hold.FindWrite(ticket) is { } found && found.TryClaim())
            {
                write = found;
                _ledger.Remove(found);
            }

            idle = hold.DetachIdle();
        }

        ReturnSpare(idle);
        bool any = !done.IsEmpty || write is not null;
        CompleteAll(ref done);
        write?.Complete(new OperationResult(status));
        return any;
    }

    private void LoseSession()
    {
        if (!Session.TryLose(out _))
        {
            return;
        }

        _table.Visit(inode =>
        {
            var done = default(OperationList);
            using (Inode.Hold hold = inode.Enter())
            {
                hold.LoseSession(ref done);
            }

            CompleteAll(ref done);
        });
        if (!IsDisposed)
        {
            _ = ReopenAsync();
        }
    }

    private async Task ReopenAsync()
    {
        // Bound: until the cache is disposed, one try per delay.
        while (!IsDisposed)
        {
            try
            {
                await OpenSessionAsync(_stopping.Token).ConfigureAwait(EngineAwait.Captured);
                return;
            }
            catch (Exception) when (!IsDisposed)
            {
                // Operations that wait end by their own bound; there is nobody else to tell.
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await Task.Delay(ReopenDelay, Clock.Provider, _stopping.Token).ConfigureAwait(EngineAwait.Captured);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async ValueTask OpenSessionAsync(CancellationToken cancellationToken)
    {
        long askedAt = Clock.Now;
        ISessionLink link = await _authority.OpenSessionAsync(_options.Opening, _wakeInbound, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        Session.Offer(link, askedAt);
        _outbound.Wake();
    }

    private void OnOpened()
    {
        if (IsDisposed)
        {
            CloseSession();
            return;
        }

        OnLeaseRegained();
        _inbound.Wake();
    }

    private void CloseSession()
    {
        if (Session.TryLose(out ISessionLink? link))
        {
            link.Post(new ClientMessage { Kind = ClientMessageKind.Close, Session = link.Id, TookIn = Session.TookIn });
        }
    }

    private void EndAll(Inode inode)
    {
        var done = default(OperationList);
        using (Inode.Hold hold = inode.Enter())
        {
            hold.EndAll(ref done);
        }

        CompleteAll(ref done);
    }

    private void ReturnSpare(InodeActivity? spare)
    {
        if (spare is not null)
        {
            _activities.Return(spare);
        }
    }
}
