using System.Diagnostics;
using System.Runtime.CompilerServices;
using CacheEngine.Caps;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Inodes;

/// <summary>What a node knows of an object's value, beside the value itself.</summary>
internal enum ValueState : byte
{
    /// <summary>Nothing that could be served.</summary>
    Unknown,

    /// <summary>The value is in the inode.</summary>
    Present,

    /// <summary>There is no value; as coherent as a value, while the right lasts.</summary>
    Absent,
}

/// <summary>
/// One cached object of a node, with everything but its key and value: the cap, the waiters, and the state that the lock-free hit reads.
/// </summary>
/// <remarks>
/// <para>A hit reads without the gate, in this order: clock, version even, key equal, deadline (the clock is before it and before the expiry), word of the
/// session's generation and covering the bits, value, version unchanged. An even version means <em>servable</em>; whoever takes rights away makes it odd first, with a
/// full fence, and only then lets anybody outside know. It stays odd until a value is published under a right again.</para>
/// <para>All other state is private and reached through the <see cref="Hold"/> that <see cref="Enter"/> returns.</para>
/// </remarks>
internal abstract class Inode
{
    /// <summary>The word holds the bits below and the generation above.</summary>
    private const int GenerationShift = 32;

    private Cap? _cap;

    // The runtime puts fields of struct type last and the leaf's fields right behind them: all that a hit reads is next to one another.
    private HitState _hit;

    protected Inode() => _hit = new HitState { Version = 1, Expiry = long.MaxValue };

    /// <summary>The key's hash: what the table compares first, and what the authority repeats in every message about the object.</summary>
    public ulong Cookie
    {
        get => _hit.Cookie;
        protected set => _hit.Cookie = value;
    }

    /// <summary>The even version under which the caller may read; odd: not servable.</summary>
    public uint BeginRead() =>
        // Edge HIT-1 (acquire; other end: HIT-4): what is read after it is at least as new as this version.
        Volatile.Read(ref _hit.Version);

    /// <summary>Whether the bits are held in this generation and the entry has not expired; meaningful only if <see cref="EndRead"/> agrees.</summary>
    /// <param name="bits">The rights that the read needs.</param>
    /// <param name="session">The session they are held under.</param>
    /// <param name="now">The engine's clock, read at any moment of the caller's operation before <see cref="BeginRead"/>: a value that is servable
    /// here and was within its deadline then had not been written over when the operation began.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Covers(CapSet bits, Session session, long now)
    {
        // Edge HIT-5 (acquire; other end: SESSION-1): the deadline is read before the generation. A session that is renewed in a new generation
        // raises the generation first; read the other way round, an old right could meet a new deadline.
        long deadline = session.Deadline;
        ulong word = _hit.Word;
        return now < deadline
            && now < _hit.Expiry
            && (uint)(word >> GenerationShift) == session.GenerationValue
            && (word & bits.Bits) == bits.Bits;
    }

    /// <summary>The authority's version of the value; meaningful only between <see cref="BeginRead"/> and an agreeing <see cref="EndRead"/>.</summary>
    public long ReadValueVersion() => ValueVersion;

    /// <summary>Whether everything read since <see cref="BeginRead"/> belongs together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool EndRead(uint version)
    {
        // Edge HIT-2 (load barrier; other end: HIT-3): moved up, a value of a later publication could pass under this version.
        Volatile.ReadBarrier();
        return _hit.Version == version;
    }

    /// <summary>The id that the authority gave, or unknown; written once, so a known id is final.</summary>
    public InodeId UnguardedId =>
        // Edge ID-2 (acquire; other end: ID-1): a known id is final, so whoever sees it needs no gate to use it.
        Volatile.Read(ref _cap) is { } cap ? new InodeId(Volatile.Read(ref cap.InodeIdValue)) : default;

    /// <summary>Whether a cap object is attached; it stays attached, so true is final.</summary>
    public bool HasCap =>
        // Edge CAP-2 (acquire; other end: CAP-1): a stale false only reserves in vain.
        Volatile.Read(ref _cap) is not null;

    /// <summary>Enters the gate. Use it in a <c>using</c> statement.</summary>
    public Hold Enter()
    {
        _hit.Gate.Enter(LockLevel.Inode);
        return new Hold(this);
    }

    /// <summary>Puts a value that crossed by reference into the leaf. Called under the gate with an odd version.</summary>
    protected abstract void StoreValue(object? value);

    /// <summary>The leaf's value, boxed if it is a value type. Called under the gate with an even version.</summary>
    protected abstract object? LoadValue();

    /// <summary>Forgets the value. Called under the gate with an odd version.</summary>
    protected abstract void ClearValue();

    // What a hit does not read is kept with the cap, so that inodes lie closer together.
    private InodeActivity? Activity
    {
        get => _cap?.Activity;
        set => _cap!.Activity = value;
    }

    private long ValueVersion
    {
        get => _cap?.ValueVersion ?? 0;
        set => _cap!.ValueVersion = value;
    }

    private uint Epoch
    {
        get => _cap?.Epoch ?? 0;
        set => _cap!.Epoch = value;
    }

    private ValueState ValueState
    {
        get => _cap?.ValueState ?? ValueState.Unknown;
        set => _cap!.ValueState = value;
    }

    private void MakeUnservable()
    {
        if ((_hit.Version & 1) == 0)
        {
            // Edge HIT-3 (full fence; other end: HIT-2): the entry is unservable for every reader before anything that follows, in this process
            // or outside it, can be seen. Without it the answer to a revoke could overtake this store.
            Interlocked.Increment(ref _hit.Version);
        }

        Epoch = unchecked(Epoch + 1);
    }

    private void MakeServable(CapSet caps, SessionGeneration generation)
    {
        Debug.Assert((_hit.Version & 1) == 1, "A value is published over a servable one.");
        _hit.Word = ((ulong)generation.Value << GenerationShift) | caps.Bits;

        // Edge HIT-4 (release; other end: HIT-1): moved up, a reader could see the even version with the old word or value.
        Volatile.Write(ref _hit.Version, _hit.Version + 1);
    }

    /// <summary>What a hit reads, with the gate that whoever changes it holds. The rest of the inode is read by those who hold the gate.</summary>
    private struct HitState
    {
        public ulong Cookie;
        public long Expiry;
        public ulong Word;
        public uint Version;
        public SpinGate Gate;
    }

    /// <summary>The witness of a held gate; the only way to an inode's guarded state. Dispose leaves the gate.</summary>
    internal readonly ref struct Hold
    {
        private readonly Inode _inode;

        internal Hold(Inode inode) => _inode = inode;

        public void Dispose()
        {
            AssertInvariants();
            _inode._hit.Gate.Leave(LockLevel.Inode);
        }

        public InodeId Id => new(_inode._cap?.InodeIdValue ?? 0);

        public bool HasActivity => _inode.Activity is not null;

        public bool HasCap => _inode._cap is not null;

        public Cap? Cap => _inode._cap;

        public CapState CapState => _inode._cap?.State ?? default;

        public CapSet Used => _inode._cap?.Refs.Used ?? CapSet.None;

        public ValueState ValueState => _inode.ValueState;

        /// <summary>Whether a write of this node has not been answered yet: then nothing here is known for sure.</summary>
        public bool IsWriting => _inode.Activity is { Writes.IsEmpty: false };

        public bool IsServable => (_inode._hit.Version & 1) == 0;

        /// <summary>Lends the inode an activity, from outside the gate, for as long as something is going on.</summary>
        public void Attach(InodeActivity activity)
        {
            activity.Inode = _inode;
            _inode.Activity = activity;
        }

        /// <summary>Whether a request of this inode is the one: its open question, or a write that has not been answered.</summary>
        public bool IsAsking(long requestId) =>
            requestId != 0 && _inode.Activity is { } activity && (activity.Question == requestId || activity.Writes.Find(requestId) is not null);

        /// <summary>Gives the inode its cap object, drawn from a reservation.</summary>
        public void Attach(Cap cap)
        {
            cap.Inode = _inode;

            // Edge CAP-1 (release; other end: CAP-2): moved up, a cap could be seen before it names its inode.
            Volatile.Write(ref _inode._cap, cap);
        }

        /// <summary>Takes the activity back if nothing is going on any more.</summary>
        public InodeActivity? DetachIdle()
        {
            InodeActivity? activity = _inode.Activity;
            if (activity is null || !activity.IsIdle)
            {
                return null;
            }

            _inode.Activity = null;
            activity.Inode = null;
            return activity;
        }

        /// <summary>Remembers the key's bytes for the first question.</summary>
        public void Introduce(byte[] key)
        {
            if (!Id.IsKnown)
            {
                _inode.Activity!.Key = key;
            }
        }

        /// <summary>Forgets a value that has outlived its time.</summary>
        public void Expire(long now)
        {
            if (_inode.ValueState == ValueState.Present && now >= _inode._hit.Expiry)
            {
                ForgetValue();
            }
        }

        /// <summary>Whether rights are held and nothing that this node is writing makes them moot.</summary>
        public bool Holds(CapSet need, SessionGeneration generation) =>
            !IsWriting && CapState.IssuedIn(generation).Contains(need);

        /// <summary>What a reader is told without asking; <see cref="OperationStatus.Pending"/>: it must wait.</summary>
        public OperationResult TryAnswer(OperationKind kind, Session session, long now)
        {
            bool isHeld = now < session.Deadline && Holds(Arbitration.Rights.Serve, session.Generation);
            return !isHeld ? default
                : IsServable ? new OperationResult(
                    OperationStatus.Present, Payload.OfReference(_inode.LoadValue()), _inode.ValueVersion, _inode.Epoch)
                : _inode.ValueState == ValueState.Absent && kind == OperationKind.Read
                    ? new OperationResult(OperationStatus.Absent, Version: _inode.ValueVersion, Epoch: _inode.Epoch)
                : default;
        }

        /// <summary>The load that asked has its answer: from here on it is good for newcomers only while the right stands.</summary>
        public static void Answered(LoadFlight? flight, in OperationResult answer)
        {
            if (flight is not null)
            {
                flight.Phase = FlightPhase.Answered;
                flight.Epoch = answer.Epoch;
            }
        }

        /// <summary>Adds a waiter, last in line.</summary>
        public void AddWaiter(Operation operation)
        {
            operation.IsListed = true;
            _inode.Activity!.Waiters.Add(operation);
        }

        /// <summary>Opens a question if the waiters need one: none is under way, and no right or write of our own will answer them.</summary>
        /// <returns>The outbox entry of the question, or null.</returns>
        /// <remarks>Without a lease nothing is asked, since no answer could be used: when the lease is back, all waiters are considered again.</remarks>
        public InodeActivity? TryAsk(Session session, long ticket, long now)
        {
            InodeActivity? activity = _inode.Activity;
            if (activity is null || activity.Waiters.IsEmpty || activity.Question != 0 || IsWriting || now >= session.Deadline)
            {
                return null;
            }

            bool wantsLoad = activity.Waiters.Has(OperationKind.Load);
            bool answerIsKnown = Holds(Arbitration.Rights.Serve, session.Generation)
                && (IsServable || (_inode.ValueState == ValueState.Absent && !wantsLoad));
            if (answerIsKnown)
            {
                return null;
            }

            activity.Question = ticket;
            activity.QuestionKind = wantsLoad ? ClientMessageKind.Load : ClientMessageKind.Acquire;
            activity.QuestionDue = true;
            return activity;
        }

        /// <summary>The outbox lets go of the question and sends it if it is still open.</summary>
        public bool TryTakeQuestion(out ClientMessage message)
        {
            InodeActivity activity = _inode.Activity!;
            activity.InOutbox--;
            message = default;
            if (activity.Question == 0 || !activity.QuestionDue)
            {
                return false;
            }

            activity.QuestionDue = false;
            message.Kind = activity.QuestionKind;
            message.RequestId = activity.Question;
            message.Inode = Id;
            message.Key = activity.Key;
            message.Cookie = _inode.Cookie;
            message.Wanted = Arbitration.Rights.AfterWrite;
            return true;
        }

        /// <summary>Starts a write: from here on this node serves nothing until the authority has answered.</summary>
        /// <remarks>Otherwise, once the authority has applied the write, another node could read the new value and this one still the old.</remarks>
        public void BeginWrite(Operation operation)
        {
            InodeActivity activity = _inode.Activity!;
            operation.IsListed = true;
            activity.Writes.Add(operation);
            OvertakeFlight();
            Surrender();
        }

        /// <summary>Starts storing a loaded value; false when the right it was loaded under is gone.</summary>
        public bool TryBeginFill(Operation operation, SessionGeneration generation)
        {
            bool stands = _inode.Epoch == operation.Epoch && Holds(Arbitration.Rights.Exclusive, generation);
            if (stands)
            {
                operation.IsListed = true;
                _inode.Activity!.Writes.Add(operation);
                Surrender();
            }

            return stands;
        }

        /// <summary>The outbox lets go of a write and sends it if it is still wanted.</summary>
        public bool TryTakeRequest(Operation operation, out ClientMessage message)
        {
            message = default;
            if (!operation.IsListed)
            {
                return false;
            }

            message.Kind = operation.Kind switch
            {
                OperationKind.Write => ClientMessageKind.Write,
                OperationKind.Remove => ClientMessageKind.Remove,
                OperationKind.Fill => ClientMessageKind.Fill,
                _ => throw new InvalidOperationException($"An operation of kind {operation.Kind} is not sent."),
            };
            message.RequestId = operation.Ticket;
            message.Inode = Id;
            message.Key = Id.IsKnown ? default : _inode.Activity!.Key;
            message.Cookie = _inode.Cookie;
            message.Cap = CapState.Id;
            message.Seq = CapState.Seq;
            message.Wanted = Arbitration.Rights.AfterWrite;
            message.Payload = operation.Payload;
            return true;
        }

        /// <summary>The answer that the cap owes now.</summary>
        public bool TryTakeAnswer(out ClientMessage message)
        {
            message = default;
            Cap? cap = _inode._cap;
            if (cap is null || !cap.AnswerDue)
            {
                return false;
            }

            cap.AnswerDue = false;
            message.Kind = ClientMessageKind.CapUpdate;
            message.Inode = Id;
            message.Cookie = _inode.Cookie;
            message.Cap = cap.State.Id;
            message.Seq = cap.State.Seq;
            message.Caps = cap.State.Implemented;
            message.Wanted = Arbitration.Rights.AfterWrite;
            return true;
        }

        /// <summary>Takes in the answer to a question: value and right together.</summary>
        /// <returns>Whether the cap owes an answer of its own.</returns>
        public bool ApplyGrant(in AuthorityMessage message, Session session, long now, ref OperationList done)
        {
            Bind(message);
            InodeActivity? activity = _inode.Activity;
            if (activity is not null && activity.Question == message.RequestId)
            {
                activity.Question = 0;
            }

            bool owes = ApplyCap(message, session, isRevoke: false);
            TakeValue(message, message.Payload, session.Generation);
            if (activity is not null && now < session.Deadline && !IsWriting)
            {
                AnswerWaiters(message, session.Generation, ref done);
            }

            return owes | ReturnUnusedExclusive(session.Generation);
        }

        /// <summary>Takes in a revoke: the entry is unservable before anything else, then the answer is due.</summary>
        /// <returns>Whether the answer is due now.</returns>
        public bool ApplyRevoke(in AuthorityMessage message, Session session)
        {
            Bind(message);
            return ApplyCap(message, session, isRevoke: true);
        }

        /// <summary>Takes in the outcome of a write, remove or fill.</summary>
        /// <returns>Whether the cap owes an answer.</returns>
        public bool ApplyWritten(in AuthorityMessage message, Session session, ref OperationList done)
        {
            Bind(message);
            InodeActivity? activity = _inode.Activity;
            Operation? operation = activity?.Writes.Remove(message.RequestId);
            bool owes = message.Cap.Value != 0 && ApplyCap(message, session, isRevoke: false);
            if (activity is null || operation is null)
            {
                return owes;
            }

            bool isApplied = message.Kind == AuthorityMessageKind.Written;
            End(operation, new OperationResult(isApplied ? OperationStatus.Written : OperationStatus.Refused, Version: message.Version), ref done);
            if (isApplied)
            {
                TakeValue(message, Payload.OfReference(operation.LocalValue), session.Generation);
            }

            return owes;
        }

        /// <summary>Ends every waiter whose answer is known by now without a message: after a write of our own, or when the lease is back.</summary>
        public void AnswerKnown(Session session, long now, ref OperationList done)
        {
            InodeActivity? activity = _inode.Activity;
            if (activity is null)
            {
                return;
            }

            Expire(now);
            OperationList waiters = activity.Waiters;
            activity.Waiters = default;
            while (waiters.TakeFirst() is { } waiter)
            {
                OperationResult answer = TryAnswer(waiter.Kind, session, now);
                if (answer.Status != OperationStatus.Pending)
                {
                    End(waiter, answer, ref done);
                    Answered(waiter.Flight, answer);
                }
                else
                {
                    activity.Waiters.Add(waiter);
                }
            }
        }

        /// <summary>Puts a value that this node made or decoded into the entry, if the right it was made under still stands.</summary>
        /// <remarks>The right must be the very one: in between a newer value may have come and gone.</remarks>
        public bool TryPublish(object? value, long version, uint epoch, SessionGeneration generation, long expiry)
        {
            bool stands = _inode.Epoch == epoch
                && Holds(Arbitration.Rights.Serve, generation)
                && version >= _inode.ValueVersion
                && _inode.ValueState != ValueState.Present;
            if (stands)
            {
                Publish(value, version, generation, expiry);
            }

            return stands;
        }

        /// <summary>Joins the load under way, or makes <paramref name="fresh"/> the load that others join.</summary>
        /// <param name="fresh">The caller's own flight, already counting the caller.</param>
        /// <param name="session">The session.</param>
        /// <param name="now">Engine milliseconds.</param>
        public LoadFlight JoinOrStart(LoadFlight fresh, Session session, long now)
        {
            InodeActivity activity = _inode.Activity!;
            LoadFlight? flight = activity.Flight;

            // A load that has begun answers this caller only while its right stands: once it is gone, a write that was acknowledged before this
            // call may be missing in it.
            bool isCurrent = flight is not null
                && (flight.Phase == FlightPhase.Asking
                    || (flight.Phase == FlightPhase.Answered
                        && flight.Epoch == _inode.Epoch
                        && now < session.Deadline
                        && Holds(Arbitration.Rights.Serve, session.Generation)));
            if (isCurrent && flight!.TryJoin())
            {
                return flight;
            }

            activity.Flight = fresh;
            return fresh;
        }

        /// <summary>The load is over for those who come later.</summary>
        public void EndFlight(LoadFlight flight)
        {
            flight.Phase = FlightPhase.Over;
            if (_inode.Activity is { } activity && ReferenceEquals(activity.Flight, flight))
            {
                activity.Flight = null;
            }
        }

        /// <summary>Gives the exclusive right back without a value: the load failed, or nobody waits for it any more.</summary>
        /// <returns>Whether the cap owes a message.</returns>
        public bool Abandon(uint epoch, SessionGeneration generation) =>
            _inode.Epoch == epoch && Holds(Arbitration.Rights.Exclusive, generation) && ReturnCap();

        /// <summary>Uses rights that are held; a use must be put back.</summary>
        public AcquireDecision TryAcquire(CapSet need, CapSet want, Session session, long now)
        {
            CapState state = CapState;
            CapSet issued = now < session.Deadline && !IsWriting ? state.IssuedIn(session.Generation) : CapSet.None;
            CapSet asked = _inode.Activity is { Question: not 0 } ? Arbitration.Rights.Serve : CapSet.None;
            AcquireDecision decision = AcquireDecision.Decide(issued, state.Revoking, asked, need, want);
            if (decision.Outcome == AcquireOutcome.Granted)
            {
                _inode._cap!.Refs.Take(decision.Got);
            }

            return decision;
        }

        /// <summary>Ends a use of rights.</summary>
        /// <returns>Whether the answer to a revoke is due now.</returns>
        public bool Put(CapSet had)
        {
            Cap cap = _inode._cap ?? throw new InvalidOperationException("A use of rights is put back on an inode that holds none.");
            CapSet last = cap.Refs.Put(had);
            if (last.IsEmpty)
            {
                return false;
            }

            CapSet revoking = cap.State.Revoking;
            if (revoking.IsEmpty || revoking.Overlaps(cap.Refs.Used))
            {
                return false;
            }

            cap.State.Implemented = cap.State.Issued;
            cap.AnswerDue = true;
            return true;
        }

        /// <summary>Takes a waiter out of the list, by ticket; false when it is no longer there.</summary>
        public bool TryEndWaiter(long ticket, OperationStatus status, ref OperationList done)
        {
            Operation? waiter = _inode.Activity?.Waiters.Remove(ticket);
            if (waiter is not null)
            {
                End(waiter, new OperationResult(status), ref done);
            }

            return waiter is not null;
        }

        /// <summary>Finds a write by ticket. A write whose caller gives up stays listed: until it is answered, nothing here is known for sure.</summary>
        public Operation? FindWrite(long ticket) => _inode.Activity?.Writes.Find(ticket);

        /// <summary>The session is over: nothing that was asked or sent under it will be answered.</summary>
        /// <param name="done">Receives the writes, whose outcome is unknown. Reads stay and are asked again in the next session.</param>
        public void LoseSession(ref OperationList done)
        {
            ForgetValue();
            if (_inode._cap is { } cap)
            {
                cap.AnswerDue = false;
            }

            InodeActivity? activity = _inode.Activity;
            if (activity is null)
            {
                return;
            }

            activity.Question = 0;
            OvertakeFlight();
            while (activity.Writes.TakeFirst() is { } write)
            {
                End(write, new OperationResult(OperationStatus.Unavailable), ref done);
            }
        }

        /// <summary>Takes out everything that waits; the cache is being disposed.</summary>
        public void EndAll(ref OperationList done)
        {
            LoseSession(ref done);
            if (_inode.Activity is { } activity)
            {
                while (activity.Waiters.TakeFirst() is { } waiter)
                {
                    End(waiter, new OperationResult(OperationStatus.Disposed), ref done);
                }
            }
        }

        /// <summary>A write on its way surrenders what is exclusive, on both sides: the authority does the same when it takes the message in.</summary>
        private void Surrender()
        {
            ForgetValue();
            Cap cap = _inode._cap!;
            cap.State.Issued &= Arbitration.Rights.AfterWrite;
            cap.State.Implemented &= Arbitration.Rights.AfterWrite;
        }

        private static void End(Operation operation, in OperationResult result, ref OperationList done)
        {
            operation.IsListed = false;
            operation.Result = result;
            done.Add(operation);
        }

        /// <summary>A load that has its answer serves nobody who comes after this moment; one that still asks is as good as before.</summary>
        private void OvertakeFlight()
        {
            if (_inode.Activity is { Flight.Phase: not FlightPhase.Asking } activity)
            {
                activity.Flight = null;
            }
        }

        private void Bind(in AuthorityMessage message)
        {
            if (!Id.IsKnown)
            {
                // Edge ID-1 (release; other end: ID-2): written once; it may be read without the gate.
                Volatile.Write(ref _inode._cap!.InodeIdValue, message.Inode.Value);
            }

            if (_inode.Activity is { } activity)
            {
                activity.Key = null;
            }
        }

        private bool ApplyCap(in AuthorityMessage message, Session session, bool isRevoke)
        {
            if (message.Cap.Value == 0)
            {
                return false;
            }

            Cap cap = _inode._cap!;
            GrantDecision decision = GrantDecision.Decide(
                cap.State, message.Cap, message.Caps, message.Seq, session.Generation, isRevoke, cap.Refs.Used);
            if (decision.Has(GrantEffects.MakeUnservable))
            {
                ForgetValue();
                OvertakeFlight();
            }

            cap.State = decision.Cap;
            bool owes = decision.Has(GrantEffects.Answer);
            cap.AnswerDue |= owes;
            return owes;
        }

        private void ForgetValue()
        {
            if (!HasCap)
            {
                return;
            }

            _inode.MakeUnservable();
            _inode.ClearValue();
            _inode.ValueState = ValueState.Unknown;
        }

        private void TakeValue(in AuthorityMessage message, Payload payload, SessionGeneration generation)
        {
            // Versions never go back; a late answer never puts an old value over a new one.
            if (message.Version < _inode.ValueVersion || !Holds(Arbitration.Rights.Serve, generation))
            {
                return;
            }

            if (message.HasValue && payload.Kind == PayloadKind.Reference)
            {
                Publish(payload.Reference, message.Version, generation, long.MaxValue);
                return;
            }

            ForgetValue();
            _inode.ValueVersion = message.Version;
            _inode.ValueState = message.HasValue ? ValueState.Unknown : ValueState.Absent;
        }

        private void Publish(object? value, long version, SessionGeneration generation, long expiry)
        {
            if (IsServable)
            {
                _inode.MakeUnservable();
            }

            _inode.StoreValue(value);
            _inode._hit.Expiry = expiry;
            _inode.ValueVersion = version;
            _inode.ValueState = ValueState.Present;
            _inode.MakeServable(CapState.Issued, generation);
        }

        private void AnswerWaiters(in AuthorityMessage message, SessionGeneration generation, ref OperationList done)
        {
            InodeActivity activity = _inode.Activity!;

            // Under a right the answer is current now. Without one it was current when the authority gave it: good for those who had called before the
            // question was opened, but a write may have been acknowledged before the others called.
            bool isCurrent = Holds(Arbitration.Rights.Serve, generation);
            bool isElected = !message.HasValue && message.Caps.Contains(Arbitration.Rights.Exclusive);
            OperationList waiters = activity.Waiters;
            activity.Waiters = default;
            while (waiters.TakeFirst() is { } waiter)
            {
                OperationStatus status =
                    !isCurrent && waiter.Ticket > message.RequestId ? OperationStatus.Pending
                    : message.HasValue ? OperationStatus.Present
                    : waiter.Kind == OperationKind.Read ? OperationStatus.Absent
                    : isElected ? OperationStatus.Elected
                    : OperationStatus.Pending;
                if (status == OperationStatus.Pending)
                {
                    activity.Waiters.Add(waiter);
                    continue;
                }

                var answer = new OperationResult(status, message.Payload, message.Version, _inode.Epoch);
                End(waiter, answer, ref done);
                Answered(waiter.Flight, answer);
                isElected &= status != OperationStatus.Elected;
            }
        }

        /// <summary>Gives an exclusive right back at once if the load it was meant for has gone.</summary>
        private bool ReturnUnusedExclusive(SessionGeneration generation)
        {
            bool isHeld = !IsWriting && CapState.IssuedIn(generation).Contains(CapSet.FileExcl);
            bool isUsed = _inode.Activity?.Flight is { Phase: FlightPhase.Answered } flight && flight.Epoch == _inode.Epoch;
            return isHeld && !isUsed && ReturnCap();
        }

        private bool ReturnCap()
        {
            Cap cap = _inode._cap!;
            ForgetValue();
            cap.State.Issued = CapSet.Pin;
            cap.State.Implemented = CapSet.Pin;
            cap.AnswerDue = true;
            return true;
        }

        [Conditional("DEBUG")]
        private void AssertInvariants()
        {
            LockOrder.AssertHeld(LockLevel.Inode);
            Debug.Assert(CapState.Implemented.Contains(CapState.Issued), "issued is not within implemented");
            Debug.Assert(!IsServable || _inode.ValueState == ValueState.Present, "servable without a value");
            Debug.Assert(!IsServable || !IsWriting, "servable while a write of this node is under way");
            Debug.Assert(
                !IsServable || !CapState.IssuedIn(new SessionGeneration((uint)(_inode._hit.Word >> GenerationShift))).IsEmpty,
                "servable without a right");
        }
    }
}
