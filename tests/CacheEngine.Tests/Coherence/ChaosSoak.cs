using CacheEngine.Embedded;
using CacheEngine.Tests.Sync;

namespace CacheEngine.Tests.Coherence;

/// <summary>
/// A counter per key that all nodes raise and read while links break, messages come twice and the authority restarts: a read that is called after a raise was
/// acknowledged sees at least that number, and every raise counts once.
/// </summary>
[Rule("P01", "P02", "P07", "P08", "P23")]
public class ChaosSoak
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);

    private readonly FencedSource _source = new();
    private long _acknowledged;
    private long _raised;
    private long _uncertain;
    private long _reads;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AtTheAuthority_NothingIsStale_AndEveryUpdateCountsOnce(bool onThePool)
    {
        await using Cluster<string> cluster = await OpenAsync(onThePool, o => { });
        await cluster.Nodes[0].SetAsync("k", "0");
        await RunAsync(cluster, UpdateAsync, async node => (await node.GetAsync("k")).Value!);
        long last = long.Parse((await cluster.Nodes[0].GetAsync("k")).Value!, null);
        Assert.InRange(last, _raised, _raised + _uncertain);

        async Task UpdateAsync(CoherentCache<string, string> node, Random random)
        {
            try
            {
                Lookup<string> updated = await node.UpdateAsync("k", 1, static (old, by) => $"{long.Parse(old, null) + by}");
                Acknowledge(long.Parse(updated.Value!, null));
            }
            catch (AuthorityUnavailableException failure)
            {
                Interlocked.Add(ref _uncertain, failure.IsOutcomeUnknown ? 1 : 0);
            }
            catch (CapabilityLostException)
            {
                // Nothing was changed.
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AtTheSource_NothingIsStale_AndEveryWriteThatTheSourceTookCountsOnce(bool onThePool)
    {
        _source.TryWrite("k", default, "0");
        await using Cluster<string> cluster = await OpenAsync(onThePool, _source.Options());
        await RunAsync(cluster, WriteAsync, node => node.GetOrCreateAsync("k", _source.LoadAsync).AsTask());
        Assert.Equal($"{_raised + _uncertain}", _source["k"]);
        Assert.Equal(_source["k"], await cluster.Nodes[1].GetOrCreateAsync("k", _source.LoadAsync));

        async Task WriteAsync(CoherentCache<string, string> node, Random random)
        {
            long written = 0;
            try
            {
                await using CacheWrite<string, string> write = await node.BeginWriteAsync("k");
                long next = long.Parse(_source["k"], null) + 1;
                await Task.Delay(random.Next(5) == 0 ? random.Next(400) : 0);
                if (!_source.TryWrite("k", write.Fence, $"{next}"))
                {
                    return;
                }

                Interlocked.Increment(ref _uncertain);
                if (random.Next(8) == 0)
                {
                    return;
                }

                write.Complete($"{next}");
                written = next;
            }
            catch (Exception failure) when (failure is AuthorityUnavailableException or CapabilityLostException)
            {
                // What the source took stands.
                return;
            }

            Interlocked.Decrement(ref _uncertain);
            Acknowledge(written);
        }
    }

    private void Acknowledge(long number)
    {
        Interlocked.Increment(ref _raised);
        long before = Volatile.Read(ref _acknowledged);
        while (before < number)
        {
            before = Interlocked.CompareExchange(ref _acknowledged, number, before);
        }
    }

    private async Task RunAsync(
        Cluster<string> cluster, Func<CoherentCache<string, string>, Random, Task> raise, Func<CoherentCache<string, string>, Task<string>> read)
    {
        int seed = Crew.NewSeed();
        using var stop = new CancellationTokenSource(Length);
        Task[] work = [.. cluster.Nodes.SelectMany((node, i) => new[]
        {
            Task.Run(async () =>
            {
                var random = new Random(seed + i);
                while (!stop.IsCancellationRequested)
                {
                    await raise(node, random);
                    await Task.Delay(random.Next(5));
                }
            }),
            Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    long floor = Volatile.Read(ref _acknowledged);
                    try
                    {
                        string seen = node.TryGet("k", out string? served) ? served : await read(node);
                        Assert.True(long.Parse(seen, null) >= floor, $"seed {seed}: node {i} read {seen} after {floor} was acknowledged");
                        Interlocked.Increment(ref _reads);
                    }
                    catch (AuthorityUnavailableException)
                    {
                        // As the links are.
                    }

                    await Task.Yield();
                }
            }),
        })];
        var chaos = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(chaos.Next(100));
            string node = $"node{chaos.Next(cluster.Nodes.Count)}";
            switch (chaos.Next(6))
            {
                case 0:
                    cluster.Links.Cut(node);
                    break;
                case 1:
                    cluster.Links.Cut(LinkDirection.ToNode, node);
                    break;
                case 2:
                    cluster.Authority.Restart();
                    break;
                default:
                    cluster.Links.Restore(cluster.Authority);
                    break;
            }
        }

        cluster.Links.Restore(cluster.Authority);
        await Task.WhenAll(work).WaitAsync(TimeSpan.FromSeconds(30));

        // On a busy machine a lease of this length lapses now and then by itself: that there was some progress is all that can be asked.
        Assert.True(_raised > 0 && _reads > 0, $"seed {seed}: {_raised} raised, {_reads} read");
        Assert.Equal(0, cluster.Authority.RefusedMessages);
    }

    private static async Task<Cluster<string>> OpenAsync(bool onThePool, Action<CoherentCacheOptions<string, string>> placement)
    {
        PoolScheduler? scheduler = onThePool ? new PoolScheduler() : null;
        Cluster<string> cluster = await Cluster<string>.OpenAsync(
            3,
            o =>
            {
                o.LeaseTerm = TimeSpan.FromMilliseconds(250);
                o.SessionTimeout = TimeSpan.FromMilliseconds(600);
                o.Scheduler = scheduler;
            },
            o =>
            {
                placement(o);
                o.OperationTimeout = TimeSpan.FromSeconds(2);
                o.BreakTimeout = TimeSpan.FromMilliseconds(200);
                o.Scheduler = scheduler;
            });
        cluster.Links.SetCopies(2);
        return cluster;
    }
}
