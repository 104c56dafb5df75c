using CacheEngine.Bench.Hits;
using CacheEngine.Bench.Keys;

namespace CacheEngine.Bench.Ratios;

/// <summary>The hits of the performance budget: both key types, both distributions, one and two threads.</summary>
internal static class HitComparisons
{
    private const int Pass = 1 << 12;
    private const int Dictionary = 0;
    private const int Memory = 1;
    private const int Cache = 2;

    public static IEnumerable<Comparison> Of(HitContenders<long> contenders)
    {
        foreach (Distribution distribution in Enum.GetValues<Distribution>())
        {
            long[] keys = contenders.Draw(distribution);
            double limit = distribution == Distribution.Hot ? 3.2 : 2.2;
            for (int threads = 1; threads <= 2; threads++)
            {
                yield return Compare(
                    Name("long", distribution, threads),
                    new Loop("ConcurrentDictionary", threads, Pass, from => HitLoops.Run(contenders.Dictionary, Slice(keys, from))),
                    new Loop("MemoryCache", threads, Pass, from => HitLoops.Run(contenders.Memory, Slice(keys, from))),
                    new Loop("CoherentCache", threads, Pass, from => HitLoops.Run(contenders.Cache, Slice(keys, from))),
                    limit,
                    limitToMemoryCache: 0.5);
            }
        }
    }

    public static IEnumerable<Comparison> Of(HitContenders<string> contenders)
    {
        foreach (Distribution distribution in Enum.GetValues<Distribution>())
        {
            string[] keys = contenders.Draw(distribution);
            double limit = distribution == Distribution.Hot ? 1.8 : 1.75;
            for (int threads = 1; threads <= 2; threads++)
            {
                yield return Compare(
                    Name("string", distribution, threads),
                    new Loop("ConcurrentDictionary", threads, Pass, from => HitLoops.Run(contenders.Dictionary, Slice(keys, from))),
                    new Loop("MemoryCache", threads, Pass, from => HitLoops.Run(contenders.Memory, Slice(keys, from))),
                    new Loop("CoherentCache", threads, Pass, from => HitLoops.Run(contenders.Cache, Slice(keys, from))),
                    limit,
                    limitToMemoryCache: 0.65);
            }
        }
    }

    private static Comparison Compare(string name, Loop dictionary, Loop memory, Loop cache, double limit, double limitToMemoryCache) =>
        new(
            name,
            new Line(dictionary),
            new Line(memory, new Budget(Cache, Memory, limitToMemoryCache, IsGate: true)),
            new Line(cache, new Budget(Cache, Dictionary, limit, IsGate: true)));

    private static ReadOnlySpan<TKey> Slice<TKey>(TKey[] keys, int from) => keys.AsSpan(from & (keys.Length - Pass), Pass);

    private static string Name(string keys, Distribution distribution, int threads) =>
        $"hit, {keys} keys, {distribution.ToString().ToLowerInvariant()}, {Threads(threads)}";

    private static string Threads(int count) => count == 1 ? "1 thread" : $"{count} threads";
}
