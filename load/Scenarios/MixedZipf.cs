using CacheEngine.Bench.Keys;
using CacheEngine.Load.Caches;
using CacheEngine.Load.Judging;

namespace CacheEngine.Load.Scenarios;

/// <summary>
/// A shop's pages: a request looks many keys up on one node, few of them popular, and now and then one is changed.
/// </summary>
/// <remarks>
/// A request does many lookups, because one that hits costs tens of nanoseconds: counted singly, they would measure whoever counts. Each key has
/// one writer at a time, so a value's stamp is its place in the order of writes, and every way of reading is checked by it.
/// </remarks>
internal sealed class MixedZipf : Workload
{
    private const int Keys = 100_000;
    private const int LookupsPerRequest = 32;
    private const double WriteShare = 0.05;

    /// <summary>One key in so many has no value at the beginning: whoever asks first loads it.</summary>
    private const int UnwrittenStride = 100;
    private const int SetUpBatch = 2_000;
    /// <summary>As skewed as popularity is found in the wild.</summary>
    private const double Exponent = 0.99;

    private static readonly Zipf Popularity = new(Keys, Exponent);

    private readonly string[] _keys = [.. Enumerable.Range(0, Keys).Select(static key => $"item-{key:D6}")];
    private readonly Witness _witness = new(Keys);
    private readonly WriterTurns _turns = new(Keys);
    private readonly int _seed;

    private MixedZipf(ICacheCluster cluster, int seed)
        : base(cluster) => _seed = seed;

    public static LoadScenario Scenario { get; } = new()
    {
        Name = "mixed-zipf",
        Description = "Requests on all nodes look popular and rare keys up, and one request in twenty changes one.",
        Operation = $"a request: {LookupsPerRequest} lookups of {Keys:N0} keys, or one write",
        Defaults = new LoadParameters(Rate: 2_000, Seconds: 30, Nodes: 3),
        Thresholds =
        [
            .. LoadThreshold.OfEveryRun,
            new(LoadMetric.P50, 10, "most requests find everything in memory; the rest is a wait for one of two cores"),
            new(LoadMetric.P99, 100, "a few questions in a row, each two messages of a timer tick, behind a collection or a busy neighbour"),
            new(LoadMetric.P999, 500, "the same on a bad second; a lost wake would cost the 5 s of a lease"),
        ],
        SetUpAsync = static async parameters => await SetUpAsync(await CoherentCluster.OpenAsync(parameters), parameters.Seed),
    };

    /// <summary>Writes most keys once, and lets every node read them all: a service that has been up for a while.</summary>
    public static async Task<Workload> SetUpAsync(ICacheCluster cluster, int seed)
    {
        var workload = new MixedZipf(cluster, seed);
        int[] written = [.. Enumerable.Range(0, Keys).Where(static key => key % UnwrittenStride != UnwrittenStride - 1)];
        foreach (int[] batch in written.Chunk(SetUpBatch))
        {
            await Task.WhenAll(batch.Select(key => workload.WriteAsync(cluster.Nodes[0], key).AsTask()));
            await Task.WhenAll(cluster.Nodes.SelectMany(node => batch.Select(key => node.GetAsync(workload._keys[key]).AsTask())));
        }

        return workload;
    }

    public override ValueTask<OperationResult> OperateAsync(long arrival)
    {
        var draws = new Draws(_seed, arrival);
        ICacheNode node = Nodes[draws.Below(Nodes.Count)];
        return draws.Share() < WriteShare ? WriteAsync(node, Popularity.RankOf(draws.Share())) : ReadAsync(node, draws);
    }

    private async ValueTask<OperationResult> ReadAsync(ICacheNode node, Draws draws)
    {
        bool isCoherent = true;
        int hits = 0;
        for (int i = 0; i < LookupsPerRequest; i++)
        {
            int key = Popularity.RankOf(draws.Share());
            long floor = _witness.Floor(key);
            if (node.TryGet(_keys[key], out Sighting seen))
            {
                hits++;
                isCoherent &= _witness.Accepts(key, floor, seen.Value!.Stamp);
            }
            else
            {
                isCoherent &= await AskAsync(node, key, mayLoad: draws.Below(2) == 0);
            }
        }

        CountLookups(LookupsPerRequest, hits);
        string step = hits == LookupsPerRequest ? "hits" : "reads";
        return isCoherent ? OperationResult.Ok(step) : OperationResult.Stale(step);
    }

    /// <summary>A lookup that memory could not answer. A key without a value has the stamp that a loaded one has: nobody has written it.</summary>
    private async ValueTask<bool> AskAsync(ICacheNode node, int key, bool mayLoad)
    {
        long floor = _witness.Floor(key);
        StampedValue? value = mayLoad ? await node.GetOrCreateAsync(_keys[key], LoadAsync) : (await node.GetAsync(_keys[key])).Value;
        return _witness.Accepts(key, floor, value?.Stamp ?? 0);
    }

    private ValueTask<StampedValue> LoadAsync()
    {
        CountLoad();
        return ValueTask.FromResult(StampedValue.Create(stamp: 0));
    }

    private async ValueTask<OperationResult> WriteAsync(ICacheNode node, int wanted)
    {
        int key = _turns.Take(wanted);
        try
        {
            long stamp = _turns.Next(key);
            await node.SetAsync(_keys[key], StampedValue.Create(stamp));
            _witness.Saw(key, stamp);
        }
        finally
        {
            _turns.Release(key);
        }

        CountWrite();
        return OperationResult.Ok("write");
    }
}
