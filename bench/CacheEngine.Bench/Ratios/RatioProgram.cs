using System.Globalization;
using CacheEngine.Bench.Hits;
using CacheEngine.Bench.Keys;
using CacheEngine.Bench.Rights;
using CacheEngine.Caps;

namespace CacheEngine.Bench.Ratios;

/// <summary>The quick run: every comparison in interleaved rounds, a table, and an exit code that is 1 if a gate fails.</summary>
internal static class RatioProgram
{
    private const int Rounds = 21;
    private const int WarmUps = 6;
    private const double WarmUpShare = 0.2;

    /// <summary>Longer than the runtime waits before it compiles a method better.</summary>
    private const int CompilePauseMilliseconds = 300;

    public static int Run(string[] args)
    {
        double seconds = 60;
        string only = "";
        for (int i = 0; i < args.Length; i += 2)
        {
            bool isUnderstood = args[i..] switch
            {
                ["--seconds", string text, ..] => double.TryParse(text, CultureInfo.InvariantCulture, out seconds) && seconds > 0,
                ["--only", string text, ..] => (only = text).Length > 0,
                _ => false,
            };
            if (!isUnderstood)
            {
                Console.Error.WriteLine("usage: ratios [--seconds S] [--only TEXT]: S seconds in all; only comparisons whose name contains TEXT");
                return 2;
            }
        }

        using var numbers = new HitContenders<long>(KeySets.Numbers());
        using var texts = new HitContenders<string>(KeySets.Texts());
        using var nodes = new TwoNodes();
        var pool = new CapPool(maxCaps: 1 << 20, maxSpares: 1024, shards: 4 * Environment.ProcessorCount);
        Comparison[] comparisons = [.. HitComparisons.Of(numbers), .. HitComparisons.Of(texts), .. RightComparisons.Of(nodes, pool)];
        comparisons = [.. comparisons.Where(comparison => comparison.Name.Contains(only, StringComparison.Ordinal))];
        WarmUp(comparisons, seconds * WarmUpShare);
        Measure(comparisons, seconds * (1 - WarmUpShare));
        bool isWithin = true;
        foreach (Comparison comparison in comparisons)
        {
            isWithin &= RatioTable.Print(comparison);
        }

        return isWithin ? 0 : 1;
    }

    private static void WarmUp(Comparison[] comparisons, double seconds)
    {
        TimeSpan slice = TimeSpan.FromSeconds(seconds) / (WarmUps * LineCount(comparisons));
        for (int i = 0; i < WarmUps; i++)
        {
            foreach (Comparison comparison in comparisons)
            {
                comparison.WarmUp(slice);
            }

            Thread.Sleep(CompilePauseMilliseconds);
        }
    }

    private static void Measure(Comparison[] comparisons, double seconds)
    {
        TimeSpan slice = TimeSpan.FromSeconds(seconds) / (Rounds * LineCount(comparisons));
        for (int round = 0; round < Rounds; round++)
        {
            foreach (Comparison comparison in comparisons)
            {
                comparison.Round(slice);
            }
        }
    }

    private static int LineCount(Comparison[] comparisons) => comparisons.Sum(comparison => comparison.Lines.Count);
}
