using CacheEngine.Arbitration;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Inodes;

/// <summary>
/// What an inode needs only while something is going on: waiters, writes, a load, an open question. Rented, and returned when all of it is over.
/// </summary>
/// <remarks>Guarded by the inode's gate; reached only through <see cref="Inode.Hold"/>. It is also the outbox entry of the open question.</remarks>
internal sealed class InodeActivity(OwnerLedger owners) : OutboxEntry
{
    /// <summary>Where an owner of this inode is listed.</summary>
    public OwnerLedger Owners => owners;

    /// <summary>Reads and loads, in order of arrival.</summary>
    public OperationList Waiters;

    /// <summary>Writes, removes and fills that have not been answered, in order of arrival. While there are any, nothing is served.</summary>
    public OperationList Writes;

    /// <summary>The exclusive right that this node holds to change the object in its own time; none: not open.</summary>
    public Ownership Owned;

    /// <summary>Whether a settlement of <see cref="Owned"/> is among the writes.</summary>
    public bool IsSettling;

    /// <summary>Since when <see cref="Owned"/> holds up others, in engine milliseconds; zero: nobody.</summary>
    public long HoldsUpSince;

    /// <summary>Guarded by the owner ledger's gate.</summary>
    public InodeActivity? NextOwner;

    /// <summary>Guarded by the owner ledger's gate.</summary>
    public InodeActivity? PreviousOwner;

    /// <summary>The load that callers of this node share.</summary>
    public LoadFlight? Flight;

    /// <summary>The key's canonical bytes, until the authority has told the inode's id.</summary>
    public byte[]? Key;

    /// <summary>The ticket of the question under way; zero: none.</summary>
    public long Question;

    public ClientMessageKind QuestionKind;

    /// <summary>Engine milliseconds at which the question was opened, before it was sent.</summary>
    public long QuestionAskedAt;

    /// <summary>Whether the question has still to be sent.</summary>
    public bool QuestionDue;

    /// <summary>How often the outbox holds this object: it must not be returned before that is zero.</summary>
    public int InOutbox;

    public Inode? Inode;

    public InodeActivity? NextFree;

    public bool IsIdle =>
        Waiters.IsEmpty && Writes.IsEmpty && Flight is null && Key is null && Question == 0 && InOutbox == 0 && !Owned.IsOpen;

    /// <inheritdoc/>
    public override bool TryBuild(in Sending sending, out ClientMessage message)
    {
        using Inode.Hold hold = Inode!.Enter();
        return hold.TryTakeQuestion(out message);
    }

    /// <inheritdoc/>
    protected internal override void OnQueued() => InOutbox++;
}

/// <summary>Spare activities of one engine, at most <see cref="MaxSpares"/>; more are left to the collector.</summary>
internal sealed class InodeActivityPool(OwnerLedger owners)
{
    public const int MaxSpares = 1024;

    private SpinGate _gate;
    private InodeActivity? _free;
    private int _count;

    public InodeActivity Rent()
    {
        _gate.Enter(LockLevel.Leaf);
        InodeActivity? activity = _free;
        if (activity is not null)
        {
            _free = activity.NextFree;
            activity.NextFree = null;
            _count--;
        }

        _gate.Leave(LockLevel.Leaf);
        return activity ?? new InodeActivity(owners);
    }

    public void Return(InodeActivity activity)
    {
        _gate.Enter(LockLevel.Leaf);
        if (_count < MaxSpares)
        {
            activity.NextFree = _free;
            _free = activity;
            _count++;
        }

        _gate.Leave(LockLevel.Leaf);
    }
}

/// <summary>How far a load has come.</summary>
internal enum FlightPhase : byte
{
    /// <summary>The authority has not answered yet: whoever joins will get what is current then.</summary>
    Asking,

    /// <summary>The value, or the right to make it, is there: it is good for newcomers only while the right of <see cref="LoadFlight.Epoch"/> stands.</summary>
    Answered,

    /// <summary>Nobody joins any more.</summary>
    Over,
}

/// <summary>
/// One load that all callers of a node share. The last caller to give up cancels it; after that nobody can join.
/// </summary>
internal abstract class LoadFlight
{
    private int _callers = 1;

    /// <summary>Guarded by the inode's gate.</summary>
    public FlightPhase Phase { get; set; }

    /// <summary>The right under which the value came or is being made; guarded by the inode's gate.</summary>
    public uint Epoch { get; set; }

    /// <summary>Whether somebody joined after the question had been opened; guarded by the inode's gate.</summary>
    public bool HasLateCallers { get; set; }

    /// <summary>When the answer ends; guarded by the inode's gate.</summary>
    public long Expiry { get; set; } = long.MaxValue;

    /// <summary>Counts one more caller in; false when all earlier ones have given up.</summary>
    public bool TryJoin()
    {
        // Edge FLIGHT-1 (full fence in the exchange; other end: FLIGHT-2): joins only a positive count; a blind increment could join a cancelled load.
        int callers = Volatile.Read(ref _callers);
        while (callers > 0)
        {
            int seen = Interlocked.CompareExchange(ref _callers, callers + 1, callers);
            if (seen == callers)
            {
                return true;
            }

            callers = seen;
        }

        return false;
    }

    /// <summary>Counts one caller out; true when it was the last.</summary>
    public bool Leave() =>
        // Edge FLIGHT-2 (full fence; other end: FLIGHT-1): zero is final, so the one who reaches it may cancel.
        Interlocked.Decrement(ref _callers) == 0;
}
