using BenchmarkDotNet.Attributes;
using CacheEngine.Caps;

namespace CacheEngine.Bench.Rights;

/// <summary>Reserving, taking and putting back, per cap. With two threads the time is that of one thread's cap.</summary>
[MemoryDiagnoser]
public class ReservationBenchmarks
{
    private const int Rounds = 1 << 16;

    private readonly CapPool _pool = new(maxCaps: 1 << 20, maxSpares: 1024, shards: 4 * Environment.ProcessorCount);

    [Params(1, 2)]
    public int Threads { get; set; }

    [Benchmark(Baseline = true, OperationsPerInvoke = Rounds)]
    public void OneByOne() => Crew.Run(Threads, _ => Expect.All(CapLoops.ReserveTakePut(_pool, Rounds), Rounds));

    [Benchmark(OperationsPerInvoke = Rounds)]
    public void ByBatch() => Crew.Run(Threads, _ => Expect.All(CapLoops.ReserveTakePutBatch(_pool, Rounds), Rounds));
}
