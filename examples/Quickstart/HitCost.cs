using System.Diagnostics;
using CacheEngine;

namespace Quickstart;

/// <summary>What a hit costs one thread that has the machine to itself, with nothing recorded.</summary>
/// <param name="Nanoseconds">The median round's time per hit.</param>
/// <param name="AllocatedBytes">Per hit, over all rounds.</param>
internal sealed record HitCost(double Nanoseconds, double AllocatedBytes)
{
    private const int Rounds = 15;
    private const int HitsPerRound = 1_000_000;

    // A power of two; long enough that the processor does not learn it by heart.
    private const int Choices = 1 << 14;
    private const int MaxLooks = 100;

    private static TimeSpan LookPause { get; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Measures keys that the node holds; the others are left out.</summary>
    public static HitCost Measure(CoherentCache<string, FileContent> node, string[] keys, Zipf popularity)
    {
        var random = new Random(0);
        string[] chosen = new string[Choices];
        for (int i = 0; i < Choices; i++)
        {
            chosen[i] = keys[popularity.Next(random)];
        }

        string[] held = [.. chosen.Where(key => node.TryGet(key, out _))];
        for (int looks = 1; held.Length < Choices && looks < MaxLooks; looks++)
        {
            // A short lease may just have run out on a busy machine; with its renewal everything is served again.
            Thread.Sleep(LookPause);
            held = [.. chosen.Where(key => node.TryGet(key, out _))];
        }

        if (held.Length < Choices)
        {
            throw new InvalidOperationException($"The node serves {held.Length} of {Choices} keys that it has just read.");
        }

        double[] nanoseconds = new double[Rounds];
        long hits = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            int served = Serve(node, held);
            nanoseconds[round] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / served;
            hits += served;
        }

        double allocated = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / hits;
        Array.Sort(nanoseconds);
        return new HitCost(nanoseconds[Rounds / 2], allocated);
    }

    private static int Serve(CoherentCache<string, FileContent> node, string[] held)
    {
        int served = 0;
        for (int i = 0; i < HitsPerRound; i++)
        {
            if (node.TryGet(held[i & (Choices - 1)], out _))
            {
                served++;
            }
        }

        return served;
    }
}
