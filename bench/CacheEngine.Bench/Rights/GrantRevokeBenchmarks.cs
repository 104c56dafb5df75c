using BenchmarkDotNet.Attributes;

namespace CacheEngine.Bench.Rights;

/// <summary>What a conflict between two nodes of one process costs, to a write that conflicts with nobody.</summary>
[MemoryDiagnoser]
public class GrantRevokeBenchmarks
{
    private const int Rounds = TwoNodes.KeyCount;

    private TwoNodes _nodes = null!;

    [GlobalSetup]
    public void Setup() => _nodes = new TwoNodes();

    [GlobalCleanup]
    public void Cleanup() => _nodes.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = Rounds)]
    public void SetWithoutSharer() => Expect.All(_nodes.Set(0, Rounds), Rounds);

    [Benchmark(OperationsPerInvoke = Rounds)]
    public void GrantRevoke() => Expect.All(_nodes.GrantRevoke(0, Rounds), Rounds);
}
