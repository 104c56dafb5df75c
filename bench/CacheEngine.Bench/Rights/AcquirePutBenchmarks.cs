using BenchmarkDotNet.Attributes;
using CacheEngine.Inodes;

namespace CacheEngine.Bench.Rights;

/// <summary>Taking and ending a use of rights on one resolved inode, to an empty pass through its gate.</summary>
[MemoryDiagnoser]
public class AcquirePutBenchmarks
{
    private const int Rounds = 1 << 14;

    private TwoNodes _nodes = null!;
    private Inode _inode = null!;

    [GlobalSetup]
    public void Setup()
    {
        _nodes = new TwoNodes();
        _inode = _nodes.Writer.Resolve(1);
    }

    [GlobalCleanup]
    public void Cleanup() => _nodes.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = Rounds)]
    public void EnterLeave() => Expect.All(CapLoops.EnterLeave(_inode, Rounds), Rounds);

    [Benchmark(OperationsPerInvoke = Rounds)]
    public void AcquirePut() => Expect.All(CapLoops.AcquirePut(_nodes.Writer.Engine, _inode, Rounds), Rounds);
}
