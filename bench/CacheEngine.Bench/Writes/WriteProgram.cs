using System.Diagnostics;
using System.Globalization;

namespace CacheEngine.Bench.Writes;

/// <summary>
/// What a change costs its caller, back to back: written through when so many other nodes share the key, each of which reads it before each change, so that
/// each change takes their rights back; kept back where the node holds the key alone. Latencies by the median and the 99th percentile; bytes that the caller's thread allocates per change.
/// </summary>
internal static class WriteProgram
{
    private const int WarmUps = 20_000;
    private const int Keys = 1 << 8;

    private static readonly int[] SharerCounts = [0, 1, 4, 16];

    public static int Run(string[] args)
    {
        int changes = 100_000;
        bool isUnderstood = args is [] || (args is ["--changes", string text] && int.TryParse(text, CultureInfo.InvariantCulture, out changes) && changes > 0);
        if (!isUnderstood)
        {
            Console.Error.WriteLine("usage: writes [--changes N]: N changes a line, 100,000 if not said");
            return 2;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"change",-12}{"sharers",8}{"p50",12}{"p99",12}{"bytes",10}"));
        foreach (int sharers in SharerCounts)
        {
            using var nodes = new SharedKeys(sharers, Keys);
            Print("set", sharers, changes, nodes, nodes.Set);
            Print("update", sharers, changes, nodes, nodes.Update);
            Print("try-update", sharers, changes, nodes, nodes.TryUpdate);
        }

        using var alone = new SharedKeys(0, Keys);
        for (int key = 0; key < Keys; key++)
        {
            alone.Back(key);
        }

        Print("set back", 0, changes, alone, alone.Back);
        Print("back + flush", 0, changes, alone, alone.BackAndFlush);

        // Few keys: what is measured is the work, not the memory.
        using var few = new SharedKeys(0, 16);
        for (int key = 0; key < 16; key++)
        {
            few.Back(key);
        }

        // The JIT takes its time to compile again what is hot.
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1);)
        {
            _ = few.Acknowledge();
        }

        (double Acknowledgement, double Gate)[] rounds = [.. Enumerable.Range(0, 20_000).Select(_ => few.Acknowledge())];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"an acknowledgement taken in, message handling apart: {Ratios.Median.Of(rounds.Select(round => round.Acknowledgement)):f1} ns, at best "
            + $"{rounds.Min(round => round.Acknowledgement):f1}; the gate alone: {Ratios.Median.Of(rounds.Select(round => round.Gate)):f1} ns, at best {rounds.Min(round => round.Gate):f1}"));

        return 0;
    }

    private static void Print(string name, int sharers, int changes, SharedKeys nodes, Action<long> change)
    {
        for (int i = 0; i < WarmUps / (1 + sharers); i++)
        {
            nodes.Share(i % Keys);
            change(i % Keys);
        }

        int rounds = changes / (1 + sharers);
        long[] ticks = new long[rounds];
        long allocated = 0;
        for (int i = 0; i < rounds; i++)
        {
            nodes.Share(i % Keys);
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            change(i % Keys);
            ticks[i] = Stopwatch.GetTimestamp() - start;
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Array.Sort(ticks);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-12}{sharers,8}{Microseconds(ticks[rounds / 2]),9:f2} us{Microseconds(ticks[rounds * 99 / 100]),9:f2} us{allocated / (double)rounds,10:f2}"));
    }

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;
}
