using CacheEngine.Load.Caches;
using CacheEngine.Load.Judging;

namespace CacheEngine.Load.Scenarios;

/// <summary>
/// A price that all look at: every node reads one key all the time, and the nodes take turns at writing it. Each write takes the right of all
/// others back, and each reader is soon there again.
/// </summary>
/// <remarks>Writes overlap, so their order is the authority's: the stamp is its version.</remarks>
internal sealed class HotKeyRevoke : Workload
{
    private const string Key = "hot";
    private const int LookupsPerVisit = 64;
    private const double WriteShare = 0.02;

    private readonly Witness _witness = new(keys: 1);
    private readonly int _seed;

    private HotKeyRevoke(ICacheCluster cluster, int seed)
        : base(cluster) => _seed = seed;

    public static LoadScenario Scenario { get; } = new()
    {
        Name = "hot-key-revoke",
        Description = "All nodes read one key all the time while each in turn writes it, so its rights are revoked and granted without end.",
        Operation = $"a visit: {LookupsPerVisit} lookups of the one key on one node, or one write of it",
        Defaults = new LoadParameters(Rate: 2_000, Seconds: 30, Nodes: 3),
        Thresholds =
        [
            .. LoadThreshold.OfEveryRun,
            new(LoadMetric.P50, 10, "most visits find the key in memory; those that meet a write wait for its end"),
            new(LoadMetric.P99, 100, "a visit behind a few writes, each four messages of a timer tick, which may be 4 ms"),
            new(LoadMetric.P999, 500, "the same on a bad second; a lost revoke would cost the 5 s of a lease"),
            new(LoadMetric.P99, 200, "a write waits for those before it and for all readers' answers", Step: "write"),
        ],
        SetUpAsync = static async parameters => await SetUpAsync(await CoherentCluster.OpenAsync(parameters), parameters.Seed),
    };

    public static async Task<Workload> SetUpAsync(ICacheCluster cluster, int seed)
    {
        var workload = new HotKeyRevoke(cluster, seed);
        await workload.WriteAsync(cluster.Nodes[0], number: 0);
        return workload;
    }

    public override ValueTask<OperationResult> OperateAsync(long arrival)
    {
        var draws = new Draws(_seed, arrival);
        ICacheNode node = Nodes[draws.Below(Nodes.Count)];
        return draws.Share() < WriteShare ? WriteAsync(node, arrival) : ReadAsync(node);
    }

    private async ValueTask<OperationResult> ReadAsync(ICacheNode node)
    {
        bool isCoherent = true;
        int hits = 0;
        for (int i = 0; i < LookupsPerVisit; i++)
        {
            long floor = _witness.Floor(0);
            if (node.TryGet(Key, out Sighting seen))
            {
                hits++;
            }
            else
            {
                floor = _witness.Floor(0);
                seen = await node.GetAsync(Key);
            }

            isCoherent &= _witness.Accepts(0, floor, seen.Version);
        }

        CountLookups(LookupsPerVisit, hits);
        string step = hits == LookupsPerVisit ? "hits" : "reads";
        return isCoherent ? OperationResult.Ok(step) : OperationResult.Stale(step);
    }

    private async ValueTask<OperationResult> WriteAsync(ICacheNode node, long number)
    {
        _witness.Saw(0, await node.SetAsync(Key, StampedValue.Create(number)));
        CountWrite();
        return OperationResult.Ok("write");
    }
}
