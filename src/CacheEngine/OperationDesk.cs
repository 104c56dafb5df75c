using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>
/// Where operations begin and end: it prepares what they need outside the gates, lists them at their inode and in the ledger, sends what is owed, and
/// hands each its one outcome.
/// </summary>
internal sealed class OperationDesk
{
    private readonly EngineOptions _options;
    private readonly EngineClock _clock;
    private readonly Session _session;
    private readonly CapPool _caps;
    private readonly Outbox _outbox;
    private readonly Standing _standing;
    private readonly WriteBack _writeBack;
    private readonly Action _wakeOutbound;
    private readonly OperationPool _operations;
    private readonly OwnerLedger _owners = new();
    private readonly InodeActivityPool _activities;
    private readonly OperationLedger _ledger;
    private int _closed;
    private long _questions;

    public OperationDesk(
        EngineOptions options,
        EngineClock clock,
        Session session,
        Standing standing,
        CapPool caps,
        Outbox outbox,
        WriteBack writeBack,
        Action wakeOutbound)
    {
        _standing = standing;
        _writeBack = writeBack;
        _options = options;
        _clock = clock;
        _session = session;
        _caps = caps;
        _outbox = outbox;
        _wakeOutbound = wakeOutbound;
        _operations = new OperationPool(Cancel);
        _activities = new InodeActivityPool(_owners);
        _ledger = new OperationLedger(options.MaxOperations);
    }

    public bool IsClosed =>
        // Edge DISPOSE-2 (acquire; other end: DISPOSE-1): read again after listing an operation. Either the sweep finds the operation, or it left the
        // inode's gate before the operation entered, and then this read sees the flag; read earlier, neither would be sure and a caller would hang.
        Volatile.Read(ref _closed) != 0;

    /// <summary>How many questions have been asked of the authority.</summary>
    public long Questions => Volatile.Read(ref _questions);

    public int InFlight => _ledger.Count;

    /// <summary>Takes no more operations from now on; true once. What is listed is for <see cref="EndAll"/>.</summary>
    public bool TryClose() =>
        // Edge DISPOSE-1 (full fence; other end: DISPOSE-2): set before the sweep; moved below it, an operation listed behind the sweep would not be ended.
        Interlocked.Exchange(ref _closed, 1) == 0;

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
        long now = _clock.Now;
        Operation operation = Rent(kind, inode, now, default);
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
            known = hold.TryAnswer(kind, _session, now);
            if (known.Status != OperationStatus.Pending)
            {
                Waits.Answered(flight, known);
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
                hold.NoteHeldUp(now);
                Ask(inode, hold, now);
            }
        }

        ReturnSpare(spare);
        return Finish(operation, known, isFull, cancellationToken);
    }

    /// <summary>Sends a change: a write, a remove, a recall, or the wish to own the object. From here on this node serves nothing for the key until it has
    /// come to its end.</summary>
    /// <exception cref="InvalidOperationException">A stated bound is reached; nothing was changed.</exception>
    public ValueTask<OperationResult> ChangeAsync<TKey, TValue>(
        Inode<TKey, TValue> inode,
        OperationKind kind,
        KeyIdentity<TKey> identity,
        in Change change,
        ref CapReservation caps,
        CancellationToken cancellationToken)
        where TKey : notnull
    {
        byte[]? key = inode.UnguardedId.IsKnown ? null : identity.Encode(inode.Key);
        long now = _clock.Now;
        Operation operation = Rent(kind, inode, now, change);
        EnsureCap(inode, ref caps);
        InodeActivity? spare = _activities.Rent();
        InodeBuffer? buffer = change.WantsBuffer && !inode.HasBuffer ? new InodeBuffer() : null;
        bool isFull;
        using (Inode.Hold hold = inode.Enter())
        {
            isFull = !_ledger.TryAdd(operation);
            if (!isFull)
            {
                Prepare(hold, ref spare, ref caps, key);
                hold.Attach(buffer);
                _writeBack.Seal(hold);
                hold.BeginChange(operation);
                hold.NoteHeldUp(now);
                _outbox.Append(operation, inode.Cookie);
            }
        }

        ReturnSpare(spare);
        return Finish(operation, default, isFull, cancellationToken);
    }

    /// <inheritdoc cref="ChangeAsync{TKey, TValue}(Inode{TKey, TValue}, OperationKind, KeyIdentity{TKey}, in Change, ref CapReservation, CancellationToken)"/>
    public ValueTask<OperationResult> ChangeAsync<TKey, TValue>(
        Inode<TKey, TValue> inode, OperationKind kind, KeyIdentity<TKey> identity, in Change change, CancellationToken cancellationToken)
        where TKey : notnull
    {
        CapReservation caps = default;
        try
        {
            return ChangeAsync(inode, kind, identity, change, ref caps, cancellationToken);
        }
        finally
        {
            caps.Dispose();
        }
    }

    /// <summary>Says how an owner's change ended. Refused if its right is gone.</summary>
    /// <param name="inode">The object.</param>
    /// <param name="change">The right, how it ended, and what is served afterwards.</param>
    /// <param name="flight">The load that goes on under the right that comes back, if it is one.</param>
    /// <param name="cancellationToken">Ends the wait; what was sent goes on.</param>
    public ValueTask<OperationResult> SettleAsync(Inode inode, in Change change, LoadFlight? flight, CancellationToken cancellationToken)
    {
        Operation operation = Rent(OperationKind.Settle, inode, _clock.Now, change);
        operation.Flight = flight;
        OperationResult known = default;
        using (Inode.Hold hold = inode.Enter())
        {
            _ = _ledger.TryAdd(operation);
            if (hold.TryBeginSettlement(operation))
            {
                _outbox.Append(operation, inode.Cookie);
            }
            else
            {
                _ledger.Remove(operation);
                known = new OperationResult(OperationStatus.Refused) { Refusal = Refusal.RightLost };
            }
        }

        return Finish(operation, known, isFull: false, cancellationToken);
    }

    /// <summary>Gives the right to change an object back unused, without anybody waiting for it.</summary>
    public async Task GiveUpAsync(Inode inode, Ownership ownership)
    {
        try
        {
            var change = new Change { Ownership = ownership, Settlement = Settlement.Abandoned };
            _ = await SettleAsync(inode, change, flight: null, CancellationToken.None).ConfigureAwait(EngineAwait.Captured);
        }
        catch (ObjectDisposedException)
        {
            // The session goes, and the right with it.
        }
    }

    /// <summary>Whether this node still has the right to change the object, as far as it knows.</summary>
    public static bool Owns(Inode inode, in Ownership ownership)
    {
        using Inode.Hold hold = inode.Enter();
        return hold.Activity is { IsSettling: false } activity && activity.Owned == ownership;
    }

    /// <summary>When a value ends here that the authority keeps for a time from when it takes it in: earlier.</summary>
    public long LocalExpiry(long timeToLive) =>
        timeToLive == 0 ? long.MaxValue : _session.Link is { } link ? _clock.Now + link.Terms.WithinElsewhere(timeToLive) : _clock.Now;

    /// <summary>Takes their rights from owners that have held up others for longer than the break timeout.</summary>
    public void BreakOwners(long now)
    {
        foreach (Inode inode in _owners.SnapshotInodes())
        {
            InodeActivity? idle;
            using (Inode.Hold hold = inode.Enter())
            {
                if (hold.BreakIfOverdue(now, (long)_options.BreakTimeout.TotalMilliseconds))
                {
                    _outbox.Append(hold.Cap!, inode.Cookie);
                }

                Ask(inode, hold, now);
                idle = hold.DetachIdle();
            }

            ReturnSpare(idle);
        }
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
            _wakeOutbound();
        }
    }

    /// <summary>Ends the wait of a caller that gave up. What was not sent is withdrawn; what was sent stays under way and its outcome is unknown.</summary>
    public void Cancel(Operation operation) => EndEarly(operation.Inode, operation.Ticket, OperationStatus.Canceled);

    /// <summary>Ends the operations that have waited too long.</summary>
    public void EndOverdue(long now)
    {
        // Bound: each round ends the oldest operation, or somebody else is ending it right now.
        while (_ledger.TryPeekOldest(out Inode? inode, out long ticket, out long deadline) && deadline <= now)
        {
            if (!EndEarly(inode, ticket, OperationStatus.Unavailable))
            {
                return;
            }
        }
    }

    private bool EndEarly(Inode? inode, long ticket, OperationStatus status)
    {
        var done = default(OperationList);
        if (inode is null)
        {
            _writeBack.Ledger.EndWaiter(ticket, status, ref done);
            bool isEnded = !done.IsEmpty;
            CompleteAll(ref done);
            return isEnded;
        }

        Operation? write = null;
        InodeActivity? idle;
        using (Inode.Hold hold = inode.Enter())
        {
            bool ended = hold.TryEndWaiter(ticket, status, ref done);
            if (!ended && hold.FindSentOrWithdraw(ticket, status, ref done) is { } found && found.TryClaim())
            {
                write = found;
                _ledger.Remove(found);
            }

            ended = ended || hold.TryEndFlushWaiter(ticket, status, ref done);
            if (!ended && !done.IsEmpty && hold.ReturnWithdrawn(_session.Generation))
            {
                _outbox.Append(hold.Cap!, inode.Cookie);
            }

            hold.WakeRoomWaitersIfTaken(_session.Generation, ref done);

            // Readers may have waited for a change that is withdrawn now.
            Ask(inode, hold, _clock.Now);
            idle = hold.DetachIdle();
        }

        ReturnSpare(idle);
        _wakeOutbound();
        bool any = !done.IsEmpty || write is not null;
        CompleteAll(ref done);
        write?.Complete(new OperationResult(status) { IsOutcomeUnknown = true });
        return any;
    }

    /// <summary>Considers every waiter again: the lease is back, or a new session.</summary>
    public void OnLeaseRegained()
    {
        foreach (Inode inode in _ledger.SnapshotInodes())
        {
            Reconsider(inode);
        }

        _wakeOutbound();
    }

    /// <summary>Ends everything that waits at an inode, and gives up what it has not flushed.</summary>
    public void EndAll(Inode inode, OperationStatus status, LossReason reason)
    {
        var done = default(OperationList);
        using (Inode.Hold hold = inode.Enter())
        {
            hold.EndAll(status, ref done);
        }

        _writeBack.Abandon(inode, reason, status, ref done);
        CompleteAll(ref done);
    }

    /// <summary>Hands out outcomes that were decided under a gate. Called with none held.</summary>
    public void CompleteAll(ref OperationList done)
    {
        while (done.TakeFirst() is { } operation)
        {
            OperationResult result = operation.Result;
            Inode inode = operation.Inode;
            bool isClaimed = operation.TryClaim();
            if (isClaimed)
            {
                _ledger.Remove(operation);
                operation.Complete(result);
            }

            operation.Unlisted();
            bool isWanted = isClaimed && result.Status is OperationStatus.Owned or OperationStatus.Unsettled;
            if (result.Ownership.IsOpen && !isWanted)
            {
                _ = GiveUpAsync(inode, result.Ownership);
            }
        }
    }

    /// <summary>Reserves a cap object if the inode has none yet.</summary>
    public void EnsureCap(Inode inode, ref CapReservation caps)
    {
        if (!inode.HasCap && caps.Count == 0)
        {
            caps = _caps.Reserve(1);
        }
    }

    /// <summary>Gives an inode what a wait at it needs. Under its gate.</summary>
    public static void Prepare(in Inode.Hold hold, ref InodeActivity? spare, ref CapReservation caps, byte[]? key)
    {
        if (!hold.HasCap)
        {
            hold.Attach(caps.Take());
        }

        if (hold.Activity is null)
        {
            hold.Attach(spare!);
            spare = null;
        }

        if (key is not null)
        {
            hold.Introduce(key);
        }
    }

    /// <summary>Asks the authority if the waiters need it. Under the inode's gate.</summary>
    public void Ask(Inode inode, in Inode.Hold hold, long now)
    {
        if (hold.TryAsk(_session, _ledger.NextTicket(), now) is { } question)
        {
            Interlocked.Increment(ref _questions);
            if (hold.CapState.Issued.Contains(CapSet.FileBuffer))
            {
                // Who asks for a value does not have it alone any more; what is dirty goes first.
                _writeBack.Seal(hold);
                hold.Surrender();
            }

            _outbox.Append(question, inode.Cookie);
        }
    }

    /// <summary>Lends an activity.</summary>
    public InodeActivity RentSpare() => _activities.Rent();

    /// <summary>Returns an activity that nothing goes on in any more.</summary>
    public void ReturnSpare(InodeActivity? spare)
    {
        if (spare is not null)
        {
            _activities.Return(spare);
        }
    }

    /// <summary>Begins a wait. It is to be listed, entered with <see cref="TryEnter"/>, and left by <see cref="Finish"/>.</summary>
    /// <param name="kind">What is waited for.</param>
    /// <param name="inode">The object; null for a wait for all of them.</param>
    /// <param name="now">Engine milliseconds.</param>
    /// <param name="change">What is asked for, if it is a change.</param>
    /// <param name="isStopping">Whether it is part of the cache's own stop.</param>
    public Operation Rent(OperationKind kind, Inode? inode, long now, in Change change, bool isStopping = false)
    {
        if (IsClosed && !isStopping)
        {
            throw new ObjectDisposedException("CoherentCache");
        }

        Operation operation = _operations.Rent();
        long deadline = now + (long)_options.OperationTimeout.TotalMilliseconds;
        operation.Prepare(kind, inode!, _ledger.NextTicket(), deadline, change);
        return operation;
    }

    /// <summary>Enters an operation into the ledger; false when its bound is reached.</summary>
    public bool TryEnter(Operation operation) => _ledger.TryAdd(operation);

    /// <summary>Takes an operation out of the ledger that was not listed after all.</summary>
    public void Leave(Operation operation) => _ledger.Remove(operation);

    /// <summary>Leaves the synchronous part of an operation: sends, runs what can run at once, and hands out the wait.</summary>
    public ValueTask<OperationResult> Finish(Operation operation, in OperationResult known, bool isFull, CancellationToken cancellationToken)
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
        _wakeOutbound();
        if (operation.Kind == OperationKind.FlushAll)
        {
            // It belongs to no inode, and ends with the last record that it waits for, also if that is given up.
            return wait;
        }

        if (_standing.Phase == SessionPhase.Rejected)
        {
            // The sweep that told everybody may have come before this operation was listed.
            _ = EndEarly(operation.Inode, operation.Ticket, OperationStatus.Unavailable);
        }
        else if (IsClosed && operation.Kind != OperationKind.Flush)
        {
            // Dispose may have swept before this operation was listed.
            EndAll(operation.Inode, OperationStatus.Disposed, LossReason.Stopped);
        }

        return wait;
    }

    private void Reconsider(Inode inode)
    {
        var done = default(OperationList);
        InodeActivity? idle;
        long now = _clock.Now;
        using (Inode.Hold hold = inode.Enter())
        {
            hold.AnswerKnown(_session, now, ref done);
            hold.WakeRoomWaitersIfTaken(_session.Generation, ref done);
            Ask(inode, hold, now);
            idle = hold.DetachIdle();
        }

        ReturnSpare(idle);
        CompleteAll(ref done);
    }
}
