using CacheEngine.Caps;
using CacheEngine.Inodes;

namespace CacheEngine.Bench.Rights;

/// <summary>The measured loops over one inode's rights and over the cap pool. They return how many rounds succeeded.</summary>
internal static class CapLoops
{
    /// <summary>How many caps the larger reservation is made for.</summary>
    public const int Batch = 16;

    /// <summary>The floor of everything that is done under an inode's gate.</summary>
    public static int EnterLeave(Inode inode, int rounds)
    {
        int held = 0;
        for (int i = 0; i < rounds; i++)
        {
            using Inode.Hold hold = inode.Enter();
            held += hold.HasCap ? 1 : 0;
        }

        return held;
    }

    public static int AcquirePut(Engine engine, Inode inode, int rounds)
    {
        int granted = 0;
        for (int i = 0; i < rounds; i++)
        {
            AcquireDecision decision;
            using (Inode.Hold hold = inode.Enter())
            {
                decision = hold.TryAcquire(Arbitration.Rights.Serve, CapSet.None, engine.Session, engine.Clock.Now);
            }

            if (decision.Outcome == AcquireOutcome.Granted)
            {
                granted++;
                engine.Desk.Put(inode, decision.Got);
            }
        }

        return granted;
    }

    public static int ReserveTakePut(CapPool pool, int rounds)
    {
        int put = 0;
        for (int i = 0; i < rounds; i++)
        {
            using CapReservation reservation = pool.Reserve(1);
            pool.Put(reservation.Take());
            put++;
        }

        return put;
    }

    public static int ReserveTakePutBatch(CapPool pool, int rounds)
    {
        int put = 0;
        var taken = new Cap[Batch];
        for (int i = 0; i < rounds; i += Batch)
        {
            using CapReservation reservation = pool.Reserve(Batch);
            for (int at = 0; at < Batch; at++)
            {
                taken[at] = reservation.Take();
            }

            foreach (Cap cap in taken)
            {
                pool.Put(cap);
                put++;
            }
        }

        return put;
    }
}
