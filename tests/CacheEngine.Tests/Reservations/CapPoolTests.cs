using System.Collections.Concurrent;
using CacheEngine.Caps;

namespace CacheEngine.Tests.Reservations;

public sealed class CapPoolTests
{
    [Fact]
    [Rule("T42", "RES-1", "RES-4")]
    public void Reserve_PastTheLimitForEveryFill_TakesNothing()
    {
        const int Limit = 12;
        for (int held = 0; held <= Limit; held++)
        {
            for (int asked = 0; asked <= Limit + 2; asked++)
            {
                var pool = new CapPool(Limit, maxSpares: Limit, shards: 1);
                CapReservation first = pool.Reserve(held);
                if (held + asked <= Limit)
                {
                    CapReservation second = pool.Reserve(asked);
                    Assert.Equal((held + asked, 0, held + asked, 0), pool.Status());
                    second.Dispose();
                }
                else
                {
                    InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => pool.Reserve(asked));
                    Assert.Contains("MaxEntries", refused.Message, StringComparison.Ordinal);
                    Assert.Equal((held, 0, held, 0), pool.Status());
                }

                // Whatever was refused, the rest of the limit is still there to be had.
                CapReservation rest = pool.Reserve(Limit - held);
                Assert.Equal(Limit - held, rest.Count);
                rest.Dispose();
                first.Dispose();
                Assert.Equal(0, pool.Status().Reserved);
            }
        }
    }

    [Fact]
    [Rule("RES-3")]
    public void Reserve_SparesSuffice_AllocatesNothing()
    {
        var pool = new CapPool(8, maxSpares: 8, shards: 1);
        pool.Reserve(5).Dispose();
        CapReservation again = pool.Reserve(4);
        Assert.Equal((5, 0, 4, 1), pool.Status());
        again.Dispose();
    }

    [Fact]
    [Rule("RES-6")]
    public void Dispose_Twice_ChangesNothingMore()
    {
        var pool = new CapPool(8, maxSpares: 8, shards: 1);
        CapReservation other = pool.Reserve(3);
        CapReservation reservation = pool.Reserve(2);
        reservation.Dispose();
        reservation.Dispose();
        Assert.Equal((5, 0, 3, 2), pool.Status());
        Assert.Equal(0, reservation.Count);
        other.Dispose();
    }

    [Fact]
    [Rule("RES-6")]
    public void Dispose_PartlyTaken_GivesBackTheRestOnly()
    {
        var pool = new CapPool(8, maxSpares: 8, shards: 1);
        CapReservation reservation = pool.Reserve(3);
        Cap taken = reservation.Take();
        reservation.Dispose();
        Assert.Equal((3, 1, 0, 2), pool.Status());
        pool.Put(taken);
        Assert.Equal((3, 0, 0, 3), pool.Status());
    }

    [Fact]
    [Rule("RES-7", "RES-13")]
    public void Take_PastTheCount_ThrowsAndDoesNotDrawFromAnotherReservation()
    {
        var pool = new CapPool(8, maxSpares: 8, shards: 1);
        CapReservation other = pool.Reserve(3);
        CapReservation reservation = pool.Reserve(1);
        reservation.Take();
        Assert.Throws<InvalidOperationException>(() => reservation.Take());
        Assert.Equal((4, 1, 3, 0), pool.Status());
        CapReservation none = default;
        Assert.Throws<InvalidOperationException>(() => none.Take());
        none.Dispose();
        other.Dispose();
    }

    [Fact]
    [Rule("RES-7", "RES-10")]
    public void Take_AfterPut_IsTheLastOnePut()
    {
        var pool = new CapPool(8, maxSpares: 8, shards: 1);
        CapReservation reservation = pool.Reserve(3);
        Cap[] caps = [reservation.Take(), reservation.Take(), reservation.Take()];
        Assert.Equal(3, caps.Distinct().Count());
        foreach (Cap cap in caps)
        {
            pool.Put(cap);
        }

        CapReservation again = pool.Reserve(3);
        Assert.Equal(caps.Reverse(), [again.Take(), again.Take(), again.Take()]);
    }

    [Fact]
    public void Put_UsedCap_ComesBackBlank()
    {
        var pool = new CapPool(8, maxSpares: 8, shards: 1);
        CapReservation reservation = pool.Reserve(1);
        Cap cap = reservation.Take();
        cap.State = new CacheEngine.Inodes.CapState { Issued = CapSet.Pin, Implemented = CapSet.Pin };
        cap.AnswerDue = true;
        pool.Put(cap);
        CapReservation again = pool.Reserve(1);
        Assert.Same(cap, again.Take());
        Assert.Equal(default, cap.State);
        Assert.False(cap.AnswerDue);
        Assert.Null(cap.Inode);
    }

    [Fact]
    [Rule("RES-9")]
    public void Put_SparesEnough_DropsTheRestAndFreesTheirPlace()
    {
        const int Limit = 32;
        const int Spares = 4;
        var pool = new CapPool(Limit, Spares, shards: 1);
        for (int round = 0; round < 3; round++)
        {
            CapReservation reservation = pool.Reserve(Limit);
            Cap[] caps = [.. Enumerable.Range(0, Limit).Select(_ => reservation.Take())];
            Assert.Equal((Limit, Limit, 0, 0), pool.Status());
            foreach (Cap cap in caps)
            {
                pool.Put(cap);
            }

            Assert.Equal((Spares, 0, 0, Spares), pool.Status());
        }
    }

    [Fact]
    [Rule("T45")]
    public void TwoPools_ShareNothing()
    {
        var first = new CapPool(4, maxSpares: 4, shards: 1);
        var second = new CapPool(4, maxSpares: 4, shards: 1);
        CapReservation full = first.Reserve(4);
        CapReservation other = second.Reserve(4);
        Assert.Throws<InvalidOperationException>(() => first.Reserve(1));
        Cap[] ofFirst = [full.Take(), full.Take()];
        Cap[] ofSecond = [other.Take(), other.Take()];
        Assert.Empty(ofFirst.Intersect(ofSecond));
        Assert.Equal((4, 2, 2, 0), first.Status());

        full.Dispose();
        Assert.Equal((4, 2, 0, 2), first.Status());
        Assert.Equal((4, 2, 2, 0), second.Status());
        other.Dispose();
    }

    [Fact]
    public void Reserve_Nothing_IsFreeAndANegativeCountIsRefused()
    {
        var pool = new CapPool(1, maxSpares: 1, shards: 1);
        pool.Reserve(0).Dispose();
        Assert.Equal((0, 0, 0, 0), pool.Status());
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Reserve(-1));
    }
}

public sealed class CapPoolAllocations
{
    [Fact]
    public void ReserveTakePut_SteadyState_AllocatesNothing()
    {
        var pool = new CapPool(64, maxSpares: 64, shards: 2);
        long allocated = -1;
        Crew.Run(1, _ =>
        {
            Churn(pool, 100);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Churn(pool, 10_000);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, allocated);
    }

    private static void Churn(CapPool pool, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            CapReservation caps = pool.Reserve(3);
            Cap first = caps.Take();
            Cap second = caps.Take();
            caps.Dispose();
            pool.Put(first);
            pool.Put(second);
        }
    }
}

public sealed class CapPoolSoak
{
    [Fact]
    [Rule("T43", "RES-1", "RES-14")]
    public void TakeAndPut_AcrossThreads_ConservesEveryCap()
    {
        const int Threads = 4;
        const int Limit = 200;
        int seed = Crew.NewSeed();
        var pool = new CapPool(Limit, maxSpares: 40, shards: Threads);
        var shelf = new ConcurrentBag<Cap>();
        int shortages = 0;
        Crew.Run(Threads, member =>
        {
            var random = new Random(seed + member);
            for (int i = 0; i < 20_000; i++)
            {
                try
                {
                    CapReservation caps = pool.Reserve(random.Next(30));
                    for (int used = random.Next(caps.Count + 1); used > 0; used--)
                    {
                        shelf.Add(caps.Take());
                    }

                    caps.Dispose();
                }
                catch (InvalidOperationException)
                {
                    Interlocked.Increment(ref shortages);
                }

                // Others' caps as well as one's own.
                for (int puts = random.Next(40); puts > 0 && shelf.TryTake(out Cap? cap); puts--)
                {
                    pool.Put(cap);
                }
            }
        });

        (int total, int usedNow, int reserved, int available) = pool.Status();
        Assert.True(
            total == usedNow + reserved + available && reserved == 0 && usedNow == shelf.Count && total <= Limit,
            $"seed {seed}: total {total}, used {usedNow} ({shelf.Count} on the shelf), reserved {reserved}, available {available}");
        Assert.Equal(shelf.Count, shelf.Distinct().Count());
        while (shelf.TryTake(out Cap? cap))
        {
            pool.Put(cap);
        }

        Assert.Equal(0, pool.Status().Used);
        Assert.True(shortages < 20_000 * Threads, $"seed {seed}: nothing was ever reserved");
    }

    [Fact]
    [Rule("T42")]
    public void Reserve_ManyThreadsAtTheLimit_NeverPassesItAndLeavesNoneReserved()
    {
        const int Threads = 4;
        const int Limit = 10;
        int seed = Crew.NewSeed();
        var pool = new CapPool(Limit, maxSpares: 0, shards: Threads);
        int outNow = 0;
        int most = 0;
        Crew.Run(Threads, member =>
        {
            var random = new Random(seed + member);
            for (int i = 0; i < 20_000; i++)
            {
                CapReservation caps;
                try
                {
                    caps = pool.Reserve(1 + random.Next(Limit));
                }
                catch (InvalidOperationException)
                {
                    continue;
                }

                int count = caps.Count;
                int now = Interlocked.Add(ref outNow, count);
                most = Math.Max(most, now);
                var taken = new List<Cap>();
                for (int k = 0; k < count; k++)
                {
                    taken.Add(caps.Take());
                }

                Interlocked.Add(ref outNow, -count);
                taken.ForEach(pool.Put);
            }
        });

        Assert.True(most <= Limit, $"seed {seed}: {most} were out at once");
        Assert.True(most > 0, $"seed {seed}");
        (int total, int used, int reserved, int available) = pool.Status();
        Assert.Equal((0, 0), (used, reserved));
        Assert.Equal(total, available);
        Assert.True(total <= Limit, $"seed {seed}");
    }
}
