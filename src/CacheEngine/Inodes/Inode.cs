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

    /// <summary>The value is in the inode, under a right of an earlier session that the authority has not confirmed.</summary>
    Unconfirmed,

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

    /// <summary>Whether the inode can keep writes back; once it can, it stays so.</summary>
    public bool HasBuffer =>
        // Edge BUFFER-2 (acquire; other end: BUFFER-1): a stale false only makes one in vain.
        Volatile.Read(ref _cap) is { } cap && Volatile.Read(ref cap.Buffer) is not null;

    /// <summary>Enters the gate. Use it in a <c>using</c> statement.</summary>
    public Hold Enter()
    {
        _hit.Gate.Enter(LockLevel.Inode);
        return new Hold(this);
    }

    /// <summary>The key, for reports to the application; boxed if it is a value type.</summary>
    public abstract object KeyForReport { get; }

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
    /// <remarks>It knows rights and value. What is waited for is in <see cref="Waits"/>, what this node changes in <see cref="Changes"/>.</remarks>
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

        public ulong Cookie => _inode.Cookie;

        public InodeActivity? Activity => _inode.Activity;

        public bool HasCap => _inode._cap is not null;

        public Cap? Cap => _inode._cap;

        public CapState CapState => _inode._cap?.State ?? default;

        public CapSet Used => _inode._cap?.Refs.Used ?? CapSet.None;

        public ValueState ValueState => _inode.ValueState;

        public long ValueVersion => _inode.ValueVersion;

        /// <summary>Names the right under which something is read or made now.</summary>
        public uint Epoch => _inode.Epoch;

        /// <summary>Whether a change of this node has not come to its end: then nothing here is known for sure.</summary>
        public bool IsWriting => _inode.Activity is { } activity && (!activity.Writes.IsEmpty || activity.Owned.IsOpen);

        public bool IsServable => (_inode._hit.Version & 1) == 0;

        /// <summary>When the value ends, in engine milliseconds; means something only while there is one.</summary>
        public long Expiry => _inode._hit.Expiry;

        /// <summary>Lends the inode an activity, from outside the gate, for as long as something is going on.</summary>
        public void Attach(InodeActivity activity)
        {
            activity.Inode = _inode;
            _inode.Activity = activity;
        }

        /// <summary>Gives the inode its cap object, drawn from a reservation.</summary>
        public void Attach(Cap cap)
        {
            cap.Inode = _inode;

            // Edge CAP-1 (release; other end: CAP-2): moved up, a cap could be seen before it names its inode.
            Volatile.Write(ref _inode._cap, cap);
        }

        /// <summary>Makes the inode able to keep writes back, if it is not yet.</summary>
        public void Attach(InodeBuffer? buffer)
        {
            if (buffer is not null && _inode._cap!.Buffer is null)
            {
                // Edge BUFFER-1 (release; other end: BUFFER-2): written once.
                Volatile.Write(ref _inode._cap.Buffer, buffer);
            }
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

        /// <summary>Learns the inode's id.</summary>
        public void Bind(in AuthorityMessage message)
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

        /// <summary>Whether rights are held and nothing that this node is changing makes them moot.</summary>
        public bool Holds(CapSet need, SessionGeneration generation) =>
            !IsWriting && CapState.IssuedIn(generation).Contains(need);

        /// <summary>The value, as it crosses; servable only.</summary>
        public Payload LoadValue() => Payload.OfReference(_inode.LoadValue());

        /// <summary>Forgets a value that has outlived its time.</summary>
        public void Expire(long now)
        {
            if (_inode.ValueState == ValueState.Present && now >= _inode._hit.Expiry)
            {
                ForgetValue();
            }
        }

        /// <summary>The clock has missed time: a value that ends by it would outlive its end, also one that is under way or kept back.</summary>
        public void ForgetMortal(long missedMilliseconds)
        {
            this.EndSooner(missedMilliseconds);
            if (_inode.ValueState is ValueState.Unknown || (_inode.ValueState is ValueState.Present or ValueState.Unconfirmed && Expiry != long.MaxValue))
            {
                ForgetValue();
                this.OvertakeFlight();
            }

            if (_inode.Activity is { } activity)
            {
                activity.QuestionAskedAt = long.MinValue;
                activity.Writes.EndLocalValues();
            }
        }

        /// <summary>The session is lost: the value is not served before the authority has confirmed the right to it. Without anything to claim it is forgotten.</summary>
        public void Suspend()
        {
            if (_inode.ValueState == ValueState.Present && !(CapState.Implemented - CapSet.Pin).IsEmpty)
            {
                _inode.MakeUnservable();
                _inode.ValueState = ValueState.Unconfirmed;
            }
            else if (_inode.ValueState != ValueState.Unconfirmed)
            {
                ForgetValue();
            }
        }

        /// <summary>The value of an earlier session may be served again.</summary>
        public void Confirm(SessionGeneration generation)
        {
            _inode.ValueState = ValueState.Present;
            _inode.MakeServable(CapState.Issued, generation);
        }

        /// <summary>Takes in that nothing is left of a grant.</summary>
        public void DropCap(SessionGeneration generation)
        {
            ForgetValue();
            _inode._cap!.State.Issued = CapSet.Pin;
            _inode._cap.State.Implemented = CapSet.Pin;
            _inode._cap.State.Generation = generation;
        }

        /// <summary>Makes the entry unservable, for every reader, before anything that follows.</summary>
        public void ForgetValue()
        {
            if (_inode._cap is null)
            {
                return;
            }

            _inode.MakeUnservable();
            _inode.ClearValue();
            _inode.ValueState = ValueState.Unknown;
        }

        /// <summary>Learns under a right what the authority knows of the value.</summary>
        /// <param name="message">Its version and whether there is one.</param>
        /// <param name="payload">The value itself, if it can be served as it is.</param>
        /// <param name="generation">The session's generation.</param>
        /// <param name="expiry">When the value ends, in engine milliseconds.</param>
        public void TakeValue(in AuthorityMessage message, in Payload payload, SessionGeneration generation, long expiry)
        {
            // Versions never go back; a late answer never puts an old value over a new one, nor does what was read before this was known.
            if (message.Version < _inode.ValueVersion)
            {
                return;
            }

            if (!Holds(Arbitration.Rights.Serve, generation))
            {
                ForgetValue();
                _inode.ValueVersion = message.Version;
                return;
            }

            if (message.HasValue && payload.Kind == PayloadKind.Reference)
            {
                Publish(payload.Reference, message.Version, generation, expiry);
                return;
            }

            ForgetValue();
            _inode.ValueVersion = message.Version;
            _inode.ValueState = message.HasValue ? ValueState.Unknown : ValueState.Absent;
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

        /// <summary>Makes a value servable under the rights that are held.</summary>
        public void Publish(object? value, long version, SessionGeneration generation, long expiry)
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

        /// <summary>Takes in a revoke: the entry is unservable before anything else, then the answer is due.</summary>
        /// <returns>Whether the answer is due now.</returns>
        public bool ApplyRevoke(in AuthorityMessage message, Session session)
        {
            Bind(message);
            return ApplyCap(message, session, isRevoke: true);
        }

        /// <summary>Applies what a message says about rights.</summary>
        /// <returns>Whether an answer is due now.</returns>
        public bool ApplyCap(in AuthorityMessage message, Session session, bool isRevoke)
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
                this.OvertakeFlight();
            }

            cap.State = decision.Cap;
            bool owes = decision.Has(GrantEffects.Answer);
            cap.AnswerDue |= owes;
            return owes;
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
            if (cap.Buffer is { WantedSize: > 0 } buffer && cap.State.Issued.Contains(CapSet.FileBuffer))
            {
                message.WantedSize = buffer.WantedSize;
                message.Size = buffer.ReportedSize;
            }

            return true;
        }

        /// <summary>Gives all rights back unasked.</summary>
        /// <returns>True: the cap owes a message.</returns>
        public bool ReturnCap()
        {
            Cap cap = _inode._cap!;
            ForgetValue();
            cap.State.Issued = CapSet.Pin;
            cap.State.Implemented = CapSet.Pin;
            cap.AnswerDue = true;
            return true;
        }

        /// <summary>A change on its way surrenders what is exclusive, on both sides: the authority does the same when it takes the message in.</summary>
        public void Surrender()
        {
            ForgetValue();
            GiveUpExclusive();
        }

        /// <summary>Gives up what is exclusive, on this side.</summary>
        public void GiveUpExclusive()
        {
            if (_inode._cap is { } cap)
            {
                cap.State.Issued &= Arbitration.Rights.AfterWrite;
                cap.State.Implemented &= Arbitration.Rights.AfterWrite;
            }
        }

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
