using BenchmarkDotNet.Attributes;
using CacheEngine.Bench.Keys;

namespace CacheEngine.Bench.Hits;

/// <summary>Hits by number. With two threads the time is that of one thread's lookup, the bytes those of both threads.</summary>
[MemoryDiagnoser]
public class LongHitBenchmarks
{
    private HitContenders<long> _contenders = null!;
    private long[] _keys = null!;

    [Params(Distribution.Hot, Distribution.Zipf)]
    public Distribution Keys { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _contenders = new HitContenders<long>(KeySets.Numbers());
        _keys = _contenders.Draw(Keys);
    }

    [GlobalCleanup]
    public void Cleanup() => _contenders.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = HitContenders<long>.Length)]
    public void ConcurrentDictionary() => Crew.Run(Threads, _ => Expect.All(HitLoops.Run(_contenders.Dictionary, _keys), _keys.Length));

    [Benchmark(OperationsPerInvoke = HitContenders<long>.Length)]
    public void MemoryCache() => Crew.Run(Threads, _ => Expect.All(HitLoops.Run(_contenders.Memory, _keys), _keys.Length));

    [Benchmark(OperationsPerInvoke = HitContenders<long>.Length)]
    public void CoherentCache() => Crew.Run(Threads, _ => Expect.All(HitLoops.Run(_contenders.Cache, _keys), _keys.Length));
}
