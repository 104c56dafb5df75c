using System.Threading.Tasks.Sources;
using CacheEngine.Arbitration;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>What a caller is waiting for.</summary>
internal enum OperationKind : byte
{
    /// <summary>The value, or the knowledge that there is none.</summary>
    Read,

    /// <summary>The value, or the duty to load it.</summary>
    Load,

    Write,
    Remove,

    /// <summary>The elected loader's value being stored.</summary>
    Fill,

    /// <summary>The exclusive right to change the object.</summary>
    Own,

    /// <summary>How an owner's change ended.</summary>
    Settle,

    /// <summary>All rights of all nodes taken back.</summary>
    Recall,

    /// <summary>The records of one object becoming durable.</summary>
    Flush,

    /// <summary>All records of the engine becoming durable.</summary>
    FlushAll,

    /// <summary>A larger limit for what may be kept back.</summary>
    Room,
}

/// <summary>How an operation ended. Exactly one of these.</summary>
internal enum OperationStatus : byte
{
    Pending,

    /// <summary>There is a value; it is in the result.</summary>
    Present,

    /// <summary>There is coherently no value.</summary>
    Absent,

    /// <summary>This node is to load the value, under the right that <see cref="OperationResult.Epoch"/> names.</summary>
    Elected,

    /// <summary>This node may change the object, under <see cref="OperationResult.Ownership"/>.</summary>
    Owned,

    /// <summary>Like <see cref="Owned"/>, and the fence is to be raised at the source before anything is read there.</summary>
    Unsettled,

    /// <summary>Applied and acknowledged.</summary>
    Written,

    /// <summary>Nothing was changed, for <see cref="OperationResult.Refusal"/>.</summary>
    Refused,

    Canceled,

    /// <summary>No answer within the operation's bound, or the session ended with the request unanswered.</summary>
    Unavailable,

    /// <summary>The cache was disposed.</summary>
    Disposed,
}

/// <summary>The outcome of an operation, with the value as it was at the moment it was granted.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Payload">The value, for <see cref="OperationStatus.Present"/>.</param>
/// <param name="Version">The authority's version of it.</param>
/// <param name="Epoch">Names the right under which the value may be published; see <see cref="Inode.Hold.TryPublish"/>.</param>
internal readonly record struct OperationResult(OperationStatus Status, Payload Payload = default, long Version = 0, uint Epoch = 0)
{
    /// <summary>When the value ends, in engine milliseconds.</summary>
    public long Expiry { get; init; } = long.MaxValue;

    /// <summary>For an owner: its right.</summary>
    public Ownership Ownership { get; init; }

    /// <summary>For an owner: whether there is a value now.</summary>
    public bool HasValue { get; init; }

    /// <summary>For a refused change: why.</summary>
    public Refusal Refusal { get; init; }

    /// <summary>For a change that was not answered: whether it was sent.</summary>
    public bool IsOutcomeUnknown { get; init; }
}

/// <summary>What a change asks of the authority, and what this node serves once it is applied.</summary>
internal struct Change
{
    /// <summary>The value on its way to the authority.</summary>
    public Payload Payload;

    /// <summary>The caller's own object.</summary>
    public object? LocalValue;

    public bool HasLocalValue;

    /// <summary>When the caller's own object ends, in engine milliseconds.</summary>
    public long LocalExpiry;

    /// <summary>How long the authority keeps the value, in milliseconds; zero: for ever.</summary>
    public long TimeToLive;

    public Precondition Precondition;

    public Ownership Ownership;

    public Settlement Settlement;

    /// <summary>The value's size in bytes; zero: not known.</summary>
    public long Size;

    /// <summary>Whether the next writes are to be kept back.</summary>
    public bool WantsBuffer;

    /// <summary>For a fill: the right under which the value was loaded.</summary>
    public uint Epoch;
}

/// <summary>
/// One caller's wait: a pooled awaitable that is in its inode's list and in the engine's <see cref="OperationLedger"/> until it is answered.
/// </summary>
/// <remarks>
/// It has up to three owners, the list, the caller and the outbox, and returns to its pool when the last lets go: a caller may give up while the
/// request is under way. Never completed under a gate; continuations never run on the completing thread.
/// </remarks>
internal sealed class Operation : OutboxEntry, IValueTaskSource<OperationResult>
{
    private readonly OperationPool _pool;
    private ManualResetValueTaskSourceCore<OperationResult> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private int _owners;
    private int _completed;
    private Change _change;

    public Operation(OperationPool pool) => _pool = pool;

    public OperationKind Kind { get; private set; }

    /// <summary>The object; null for a wait for all of them.</summary>
    public Inode Inode { get; private set; } = null!;

    /// <summary>Unique in the engine and never reused: the request id of a write, and what identifies this rental across a lock gap.</summary>
    public long Ticket { get; private set; }

    /// <summary>What it asks for, if it is a change.</summary>
    public ref readonly Change Change => ref _change;

    /// <summary>The load that asks, or that settles before it reads, if it is one.</summary>
    public LoadFlight? Flight { get; set; }

    /// <summary>Engine milliseconds after which the operation ends as unavailable.</summary>
    public long Deadline { get; private set; }

    /// <summary>For a wait for all records: up to which.</summary>
    public Flushing.FlushTid FlushThrough { get; set; }

    /// <summary>Guarded by the inode's gate, or for a wait for all records by the flush ledger's.</summary>
    public Operation? NextInInode { get; set; }

    /// <summary>Guarded by the inode's gate: whether the inode's lists hold this operation.</summary>
    public bool IsListed { get; set; }

    /// <summary>Guarded by the inode's gate: whether its message was made, so that it may take effect.</summary>
    public bool IsSent { get; set; }

    /// <summary>The outcome, decided under the inode's gate and delivered after it.</summary>
    public OperationResult Result { get; set; }

    /// <summary>Guarded by the ledger's gate.</summary>
    public Operation? NextInLedger { get; set; }

    /// <summary>Guarded by the ledger's gate.</summary>
    public Operation? PreviousInLedger { get; set; }

    public ValueTask<OperationResult> Task => new(this, _core.Version);

    /// <summary>Prepares a rental. The list and the caller own it from now on.</summary>
    public void Prepare(OperationKind kind, Inode inode, long ticket, long deadline, in Change change)
    {
        Kind = kind;
        Inode = inode;
        Ticket = ticket;
        Deadline = deadline;
        _change = change;
        IsSent = false;
        _owners = 2;
        _completed = 0;
    }

    /// <summary>Decides the outcome, and moves from the inode's list to those that are to be completed. Called under the inode's gate.</summary>
    public void End(in OperationResult result, ref OperationList done)
    {
        IsListed = false;
        Result = result;
        done.Add(this);
    }

    /// <summary>The caller's own object is not served here if it has an end at all. Called under the inode's gate.</summary>
    public void EndLocalValue() => _change.LocalExpiry = _change.LocalExpiry == long.MaxValue ? long.MaxValue : long.MinValue;

    /// <summary>Ends the wait when the token fires. Called by the owner of the wait, after the operation has been listed, with no gate held.</summary>
    public void CancelOn(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            _registration = token.UnsafeRegister(static state => ((Operation)state!).OnCanceled(), this);
        }
    }

    /// <summary>Wins the right to complete the caller's wait; true once per rental.</summary>
    public bool TryClaim() =>
        // Edge CLAIM-1 (full fence; other end: CLAIM-1): of the answer, the timeout and the cancelling caller one completes; a plain test would let two.
        Interlocked.Exchange(ref _completed, 1) == 0;

    /// <summary>Completes the caller's wait. Called by whoever claimed it, with no gate held; the operation is not to be touched afterwards unless
    /// the list still owns it.</summary>
    public void Complete(in OperationResult result)
    {
        LockOrder.AssertNoneHeld();
        _core.SetResult(result);
    }

    /// <summary>Returns an operation that was prepared but never listed nor handed out.</summary>
    public void Discard()
    {
        _owners = 1;
        LetGo();
    }

    /// <summary>The inode's list lets go. Called with no gate held.</summary>
    public void Unlisted() => LetGo();

    /// <inheritdoc/>
    public override bool TryBuild(in Sending sending, out ClientMessage message)
    {
        bool owed = false;
        message = default;
        using (Inode.Hold hold = Inode.Enter())
        {
            if (sending.IsCurrent)
            {
                owed = hold.TryTakeRequest(this, out message, out bool owesAnswer);
                if (owesAnswer)
                {
                    // Behind this message, which gives up what the answer says is given up.
                    sending.Outbox.Append(hold.Cap!, Inode.Cookie);
                }
            }
            else if (IsListed)
            {
                // The session is gone; the sweep that follows its loss ends this operation, or it was begun after the sweep and is for the next one.
                sending.Outbox.Append(this, Inode.Cookie);
            }
        }

        LetGo();
        return owed;
    }

    /// <inheritdoc/>
    protected internal override void OnQueued() =>
        // Edge OWNER-1 (full fence; other end: OWNER-2): counted under the inode's gate while the list owns too; later, the count could have reached zero.
        Interlocked.Increment(ref _owners);

    OperationResult IValueTaskSource<OperationResult>.GetResult(short token)
    {
        OperationResult result = _core.GetResult(token);

        // A callback that is running may still touch this object: then it is left to the collector instead of the pool.
        bool callbackDone = _registration.Unregister() || _registration == default;
        _registration = default;
        if (callbackDone)
        {
            LetGo();
        }

        return result;
    }

    ValueTaskSourceStatus IValueTaskSource<OperationResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<OperationResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void OnCanceled() => _pool.OnCanceled(this);

    private void LetGo()
    {
        // Edge OWNER-2 (full fence; other ends: OWNER-1, OWNER-2): what every owner did comes before what the last one resets.
        if (Interlocked.Decrement(ref _owners) == 0)
        {
            _core.Reset();
            _change = default;
            Flight = null;
            Result = default;
            _pool.Return(this);
        }
    }
}

/// <summary>A singly linked list of operations that are to be completed once no gate is held.</summary>
internal struct OperationList
{
    private Operation? _head;
    private Operation? _tail;

    public readonly bool IsEmpty => _head is null;

    /// <summary>The first; means something only if there is one.</summary>
    public readonly Operation First => _head!;

    /// <summary>The ticket of the first; means something only if there is one.</summary>
    public readonly long FirstTicket => _head!.Ticket;

    public void Add(Operation operation)
    {
        operation.NextInInode = null;
        if (_tail is null)
        {
            _head = operation;
        }
        else
        {
            _tail.NextInInode = operation;
        }

        _tail = operation;
    }

    public Operation? TakeFirst()
    {
        Operation? first = _head;
        if (first is not null)
        {
            _head = first.NextInInode;
            _tail = _head is null ? null : _tail;
            first.NextInInode = null;
        }

        return first;
    }

    /// <summary>Takes out the operation with this ticket, wherever it stands.</summary>
    public Operation? Remove(long ticket)
    {
        Operation? previous = null;
        for (Operation? at = _head; at is not null; previous = at, at = at.NextInInode)
        {
            if (at.Ticket != ticket)
            {
                continue;
            }

            if (previous is null)
            {
                _head = at.NextInInode;
            }
            else
            {
                previous.NextInInode = at.NextInInode;
            }

            _tail = ReferenceEquals(_tail, at) ? previous : _tail;
            at.NextInInode = null;
            return at;
        }

        return null;
    }

    /// <inheritdoc cref="Operation.EndLocalValue"/>
    public readonly void EndLocalValues()
    {
        for (Operation? at = _head; at is not null; at = at.NextInInode)
        {
            at.EndLocalValue();
        }
    }

    public readonly bool Has(OperationKind kind)
    {
        for (Operation? at = _head; at is not null; at = at.NextInInode)
        {
            if (at.Kind == kind)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What is in the list, for dumps.</summary>
    public readonly IEnumerable<Operation> All()
    {
        for (Operation? at = _head; at is not null; at = at.NextInInode)
        {
            yield return at;
        }
    }

    public readonly Operation? Find(long ticket)
    {
        Operation? at = _head;
        while (at is not null && at.Ticket != ticket)
        {
            at = at.NextInInode;
        }

        return at;
    }
}
