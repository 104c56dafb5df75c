using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>Where loads begin and end: callers of one node share one, and what it made is stored or published while its right stands.</summary>
internal sealed class LoadDesk(OperationDesk desk, Session session, EngineClock clock, Outbox outbox, Action wakeOutbound)
{
    /// <summary>Sends a loaded value to be stored, if the right it was loaded under still stands; else the outcome is refused.</summary>
    public ValueTask<OperationResult> FillAsync(Inode inode, in Change change)
    {
        Operation operation = desk.Rent(OperationKind.Fill, inode, clock.Now, change);
        InodeActivity? spare = desk.RentSpare();
        CapReservation none = default;
        OperationResult known = default;
        bool isEntered;
        using (Inode.Hold hold = inode.Enter())
        {
            isEntered = desk.TryEnter(operation);
            if (isEntered)
            {
                OperationDesk.Prepare(hold, ref spare, ref none, null);
                if (hold.TryBeginFill(operation, session.Generation))
                {
                    outbox.Append(operation, inode.Cookie);
                }
                else
                {
                    desk.Leave(operation);
                    known = new OperationResult(OperationStatus.Refused) { Refusal = Refusal.RightLost };
                }
            }
        }

        desk.ReturnSpare(spare);
        if (!isEntered)
        {
            // No room to store it: the value is its callers' all the same, and the right goes back so that others can load.
            AbandonLoad(inode, change.Epoch);
            known = new OperationResult(OperationStatus.Refused) { Refusal = Refusal.RightLost };
        }

        return desk.Finish(operation, known, isFull: false, CancellationToken.None);
    }

    /// <summary>Gives an exclusive right back without a value.</summary>
    public void AbandonLoad(Inode inode, uint epoch)
    {
        using (Inode.Hold hold = inode.Enter())
        {
            if (hold.AbandonLoad(epoch, session.Generation))
            {
                outbox.Append(hold.Cap!, inode.Cookie);
            }

            desk.Ask(inode, hold, clock.Now);
        }

        wakeOutbound();
    }

    /// <summary>Joins the load of an inode or starts one.</summary>
    public LoadFlight JoinOrStart(Inode inode, LoadFlight fresh)
    {
        CapReservation caps = default;
        InodeActivity? spare = desk.RentSpare();
        LoadFlight flight;
        try
        {
            desk.EnsureCap(inode, ref caps);
            using Inode.Hold hold = inode.Enter();
            OperationDesk.Prepare(hold, ref spare, ref caps, null);
            flight = hold.JoinOrStart(fresh, session, clock.Now);
        }
        finally
        {
            caps.Dispose();
            desk.ReturnSpare(spare);
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

        desk.ReturnSpare(idle);
    }

    /// <summary>Publishes a value that this node made or decoded, if the right still stands.</summary>
    public bool TryPublish(Inode inode, object? value, long version, uint epoch, long expiry)
    {
        using Inode.Hold hold = inode.Enter();
        return hold.TryPublish(value, version, epoch, session.Generation, expiry);
    }
}
