using CacheEngine.Load.Caches;

namespace CacheEngine.Load.Scenarios;

/// <summary>A scenario that is set up: its caches, and one operation on them. Thread-safe; disposing it closes the caches.</summary>
public abstract class Workload(ICacheCluster cluster) : IAsyncDisposable
{
    private long _lookups;
    private long _hits;
    private long _writes;
    private long _loads;

    /// <summary>The nodes that operations are spread over.</summary>
    protected IReadOnlyList<ICacheNode> Nodes { get; } = cluster.Nodes;

    /// <summary>Does one operation. An exception is a failure too.</summary>
    /// <param name="arrival">The operation's number, each used once; with the seed it decides all that is random.</param>
    public abstract ValueTask<OperationResult> OperateAsync(long arrival);

    /// <summary>What was done so far.</summary>
    public WorkloadFigures Read() => new(
        Volatile.Read(ref _lookups),
        Volatile.Read(ref _hits),
        Volatile.Read(ref _writes),
        Volatile.Read(ref _loads),
        cluster.Revokes,
        cluster.Questions,
        cluster.RefusedMessages);

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    /// <summary>Counts lookups, and how many of them were served from the node's memory.</summary>
    protected void CountLookups(int lookups, int hits)
    {
        Interlocked.Add(ref _lookups, lookups);
        Interlocked.Add(ref _hits, hits);
    }

    protected void CountWrite() => Interlocked.Increment(ref _writes);

    /// <summary>Counts a run of a factory.</summary>
    protected void CountLoad() => Interlocked.Increment(ref _loads);
}
