using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>Where callers wait for what this node keeps back: until it is durable, or until there is room for more.</summary>
internal sealed class FlushDesk(OperationDesk desk, WriteBack writeBack, EngineClock clock, Outbox outbox, Action wakeOutbound)
{
    private readonly CommitEntry _commit = new();

    public WriteBack WriteBack => writeBack;

    /// <inheritdoc cref="WriteBack.TryBuffer"/>
    public BufferStep TryBuffer(Inode inode, in Change change, out long version)
    {
        BufferStep step = desk.IsClosed
            ? throw new ObjectDisposedException(nameof(CoherentCache))
            : writeBack.TryBuffer(inode, change, out version, out bool owes);
        if (owes)
        {
            wakeOutbound();
        }

        return step;
    }

    /// <summary>Waits until everything written to an object before this call is durable, or lost.</summary>
    public ValueTask<OperationResult> FlushAsync(Inode inode, CancellationToken cancellationToken)
    {
        Operation operation = desk.Rent(OperationKind.Flush, inode, clock.Now, default);
        bool isEntered;
        bool waits = false;
        bool isUnhurried = false;
        using (Inode.Hold hold = inode.Enter())
        {
            isEntered = desk.TryEnter(operation);
            if (isEntered)
            {
                isUnhurried = hold.Cap?.Buffer is { Dirty: null };
                writeBack.Seal(hold, isUrgent: true);
                waits = hold.TryAwaitFlush(operation);
            }
        }

        return Finish(operation, isEntered, waits, isUnhurried && waits, cancellationToken);
    }

    /// <summary>Waits until everything written by this node before this call is durable, or lost.</summary>
    public ValueTask<OperationResult> FlushAllAsync(CancellationToken cancellationToken, bool isStopping = false)
    {
        Operation operation = desk.Rent(OperationKind.FlushAll, null, clock.Now, default, isStopping);
        bool isEntered = desk.TryEnter(operation);
        bool waits = false;
        bool isUnhurried = false;
        if (isEntered)
        {
            writeBack.FlushAll();
            waits = writeBack.Ledger.TryAwaitAll(operation);
            isUnhurried = waits && writeBack.Ledger.Hurry();
        }

        return Finish(operation, isEntered, waits, isUnhurried, cancellationToken);
    }

    /// <summary>Waits until the authority has answered the wish for a larger limit, or the right to keep writes back is gone.</summary>
    public ValueTask<OperationResult> AwaitRoomAsync(Inode inode, in Change change, CancellationToken cancellationToken)
    {
        Operation operation = desk.Rent(OperationKind.Room, inode, clock.Now, default);
        bool isEntered;
        bool waits = false;
        using (Inode.Hold hold = inode.Enter())
        {
            isEntered = desk.TryEnter(operation);
            if (isEntered && hold.Judge(change, writeBack.Session, clock.Now) == BufferStep.AwaitRoom)
            {
                waits = true;
                hold.AwaitRoom(operation);
                if (hold.TryWishForRoom(change.Size, change.Size))
                {
                    outbox.Append(hold.Cap!, inode.Cookie);
                }
            }
        }

        return Finish(operation, isEntered, waits, isUnhurried: false, cancellationToken);
    }

    private ValueTask<OperationResult> Finish(
        Operation operation, bool isEntered, bool waits, bool isUnhurried, CancellationToken cancellationToken)
    {
        if (isUnhurried)
        {
            // What is waited for was sent before anybody was in a hurry.
            outbox.Append(_commit, cookie: 0);
        }

        if (isEntered && !waits)
        {
            desk.Leave(operation);
        }

        OperationResult known = waits ? default : new OperationResult(OperationStatus.Written);
        return desk.Finish(operation, isEntered ? known : default, !isEntered, cancellationToken);
    }

    /// <summary>The demand that what was flushed becomes durable now.</summary>
    private sealed class CommitEntry : OutboxEntry
    {
        /// <inheritdoc/>
        public override bool TryBuild(in Sending sending, out ClientMessage message)
        {
            message = new ClientMessage { Kind = ClientMessageKind.Commit };
            return sending.IsCurrent;
        }
    }
}
