using System.Collections.Concurrent;
using CacheEngine.Sync;

namespace CacheEngine.Tests.Sync;

public sealed class InlinePumpSchedulerTests
{
    [ThreadStatic]
    private static int t_nested;

    [Fact]
    public void Wake_Idle_RunsOnTheWakingThreadBeforeItReturns()
    {
        int ranOn = 0;
        var pump = new StepPump(InlinePumpScheduler.Instance, _ =>
        {
            ranOn = Environment.CurrentManagedThreadId;
            return false;
        });
        pump.Wake();
        Assert.Equal(Environment.CurrentManagedThreadId, ranOn);
    }

    [Fact]
    public void Wake_ChainOfPumps_NeverNests()
    {
        // Nested, each link would be several frames: a chain of this length does not fit on any thread's stack.
        const int Links = 100_000;
        int deepest = 0;
        int reached = 0;
        var chain = new StepPump[Links];
        for (int i = 0; i < Links; i++)
        {
            int link = i;
            chain[i] = new StepPump(InlinePumpScheduler.Instance, _ =>
            {
                t_nested++;
                deepest = Math.Max(deepest, t_nested);
                Interlocked.Increment(ref reached);
                if (link + 1 < Links && t_nested < 50)
                {
                    chain[link + 1].Wake();
                }

                t_nested--;
                return false;
            });
        }

        chain[0].Wake();
        Crew.Await(() => Volatile.Read(ref reached) == Links || deepest > 1, "the chain is run to its end");
        Assert.Equal(1, deepest);
    }

    [Fact]
    public void Wake_PumpsThatKeepWakingEachOther_HoldTheCallerUpForSoManyTurnsOnly()
    {
        var turns = new ConcurrentDictionary<int, int>();
        int stop = 0;
        int total = 0;
        StepPump[] pair = new StepPump[2];
        for (int i = 0; i < 2; i++)
        {
            int other = 1 - i;
            pair[i] = new StepPump(InlinePumpScheduler.Instance, _ =>
            {
                turns.AddOrUpdate(Environment.CurrentManagedThreadId, 1, static (_, count) => count + 1);
                Interlocked.Increment(ref total);
                if (Volatile.Read(ref stop) == 0)
                {
                    pair[other].Wake();
                }

                return false;
            });
        }

        int caller = 0;
        int callersTurns = 0;
        Crew.Run(1, _ =>
        {
            pair[0].Wake();
            caller = Environment.CurrentManagedThreadId;
            callersTurns = turns[caller];
        });

        Crew.Await(() => Volatile.Read(ref total) > 3 * InlinePumpScheduler.TurnsPerCaller, "the pool carries on");
        Volatile.Write(ref stop, 1);
        Assert.Equal(InlinePumpScheduler.TurnsPerCaller, callersTurns);
    }

    [Fact]
    public void Wake_StepThrows_CallerHearsItAndNoPumpIsLost()
    {
        int after = 0;
        var behind = new StepPump(InlinePumpScheduler.Instance, _ =>
        {
            Interlocked.Increment(ref after);
            return false;
        });
        StepPump? failing = null;
        failing = new StepPump(InlinePumpScheduler.Instance, pump =>
        {
            if (pump.Steps == 1)
            {
                behind.Wake();
                throw new TimeoutException("first step");
            }

            Interlocked.Increment(ref after);
            return false;
        });

        Crew.Run(1, _ =>
        {
            Assert.Throws<TimeoutException>(failing.Wake);
            Crew.Await(() => Volatile.Read(ref after) == 2, "the pump behind runs, and so does the one that failed");

            // The thread is as good as new: neither is still counted as running here.
            behind.Wake();
            Crew.Await(() => Volatile.Read(ref after) == 3, "a later wake runs");
            failing.Wake();
            Crew.Await(() => Volatile.Read(ref after) == 4, "the pump that failed can be woken");
        });
    }

    [Fact]
    public void RunOnPool_StepThrows_WhatItWokeIsRunAllTheSame()
    {
        int after = 0;
        var behind = new StepPump(InlinePumpScheduler.Instance, _ =>
        {
            Interlocked.Increment(ref after);
            return false;
        });
        var failing = new StepPump(InlinePumpScheduler.Instance, pump =>
        {
            if (pump.Steps == 1)
            {
                behind.Wake();
                throw new TimeoutException("first step");
            }

            return false;
        });

        Crew.Run(1, _ => Assert.Throws<TimeoutException>(() => InlinePumpScheduler.Instance.RunOnPool(failing)));
        Crew.Await(() => Volatile.Read(ref after) == 1, "the pump that was woken before the failure is run");
    }
}
