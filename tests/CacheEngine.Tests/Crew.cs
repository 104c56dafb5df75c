using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace CacheEngine.Tests;

/// <summary>Threads of their own for tests under fire, and waits that end.</summary>
internal static class Crew
{
    private static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Runs the same work on so many threads at once and hands on the first failure.</summary>
    public static void Run(int threads, Action<int> work)
    {
        var failures = new Exception?[threads];
        using var start = new Barrier(threads);
        var crew = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            int member = i;
            crew[i] = new Thread(() =>
            {
                try
                {
                    start.SignalAndWait(Patience);
                    work(member);
                }
                catch (Exception failure)
                {
                    failures[member] = failure;
                }
            })
            { IsBackground = true };
            crew[i].Start();
        }

        var watch = Stopwatch.StartNew();
        foreach (Thread thread in crew)
        {
            TimeSpan left = Patience - watch.Elapsed;
            if (left < TimeSpan.Zero || !thread.Join(left))
            {
                ThrowFirst(failures);
                Assert.Fail($"A thread of {threads} made no progress within {Patience}.");
            }
        }

        ThrowFirst(failures);
    }

    /// <summary>Waits until a condition holds, and fails if it does not come.</summary>
    public static void Await(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        var spinner = default(SpinWait);
        while (!condition())
        {
            if (watch.Elapsed > Patience)
            {
                Assert.Fail($"Did not happen within {Patience}: {what}.");
            }

            spinner.SpinOnce();
        }
    }

    /// <summary>A seed for this run; printed by whoever fails with it.</summary>
    public static int NewSeed() => Environment.TickCount;

    private static void ThrowFirst(Exception?[] failures)
    {
        if (failures.FirstOrDefault(failure => failure is not null) is { } first)
        {
            ExceptionDispatchInfo.Throw(first);
        }
    }
}
