using CacheEngine.Load.Caches;
using CacheEngine.Load.Judging;

namespace CacheEngine.Load.Scenarios;

/// <summary>
/// A link that goes round: many callers on all nodes ask at once for a key that nobody has, and making its value is slow. One of them makes it
/// for the whole cluster; the others wait, and all see the same.
/// </summary>
internal sealed class ColdHerd : Workload
{
    private const int CallersPerNode = 8;
    private const string Step = "herd";
    private static readonly TimeSpan FactoryTime = TimeSpan.FromMilliseconds(20);

    private ColdHerd(ICacheCluster cluster)
        : base(cluster)
    {
    }

    public static LoadScenario Scenario { get; } = new()
    {
        Name = "cold-herd",
        Description = "Callers on all nodes ask at once for a key that nobody has; its value is made once, slowly, for the whole cluster.",
        Operation = $"a herd: one new key, {CallersPerNode} callers on each node, a factory of {FactoryTime.TotalMilliseconds} ms, "
            + "then a lookup on each node",
        Defaults = new LoadParameters(Rate: 50, Seconds: 30, Nodes: 3),
        Thresholds =
        [
            .. LoadThreshold.OfEveryRun,
            new(LoadMetric.P50, 60, "the factory's 20 ms, up to six messages of a timer tick, which may be 4 ms"),
            new(LoadMetric.P99, 200, "the same behind a collection or a busy neighbour"),
            new(LoadMetric.P999, 1_000, "one herd in a thousand is one or two in a run; a lost grant would cost the 5 s of a lease"),
        ],
        SetUpAsync = static async parameters => SetUp(await CoherentCluster.OpenAsync(parameters)),
    };

    public static Workload SetUp(ICacheCluster cluster) => new ColdHerd(cluster);

    public override async ValueTask<OperationResult> OperateAsync(long arrival)
    {
        var herd = new Herd($"cold-{arrival}", CountLoad);
        await Task.WhenAll(Nodes.Select(node => Task.Run(() => AskAllAsync(node, herd))));
        if (herd.Loads != 1)
        {
            return OperationResult.Failed(Step, "loaded more than once");
        }

        foreach (ICacheNode node in Nodes)
        {
            if (await LookAgainAsync(node, herd) is { IsOk: false } failed)
            {
                return failed;
            }
        }

        return herd.IsCoherent ? OperationResult.Ok(Step) : OperationResult.Stale(Step);
    }

    private async Task AskAllAsync(ICacheNode node, Herd herd)
    {
        var callers = new Task[CallersPerNode];
        for (int i = 0; i < callers.Length; i++)
        {
            callers[i] = AskAsync(node, herd);
        }

        await Task.WhenAll(callers);
        CountLookups(CallersPerNode, hits: 0);
    }

    private static async Task AskAsync(ICacheNode node, Herd herd)
    {
        long floor = herd.Floor;
        herd.Judge(floor, (await node.GetOrCreateAsync(herd.Key, herd.LoadAsync)).Stamp);
    }

    private async ValueTask<OperationResult> LookAgainAsync(ICacheNode node, Herd herd)
    {
        long floor = herd.Floor;
        bool isHit = node.TryGet(herd.Key, out Sighting seen);
        if (!isHit)
        {
            seen = await node.GetAsync(herd.Key);
        }

        CountLookups(1, isHit ? 1 : 0);
        if (seen.Value is not { } value)
        {
            return OperationResult.Failed(Step, "loaded and lost");
        }

        herd.Judge(floor, value.Stamp);
        return OperationResult.Ok(Step);
    }

    /// <summary>One key, the runs of its factory, and what its callers saw: the stamp of a value is the run that made it.</summary>
    private sealed class Herd(string key, Action countLoad)
    {
        private readonly Witness _witness = new(keys: 1);
        private int _loads;
        private int _isStale;

        public string Key => key;

        public int Loads => Volatile.Read(ref _loads);

        public long Floor => _witness.Floor(0);

        public bool IsCoherent => Volatile.Read(ref _isStale) == 0;

        public async ValueTask<StampedValue> LoadAsync()
        {
            countLoad();
            int run = Interlocked.Increment(ref _loads);
            await Task.Delay(FactoryTime);
            return StampedValue.Create(run);
        }

        public void Judge(long floor, long stamp)
        {
            if (!_witness.Accepts(0, floor, stamp))
            {
                Volatile.Write(ref _isStale, 1);
            }
        }
    }
}
