using System.Diagnostics;
using CacheEngine.Checking;
using Xunit.Abstractions;

namespace CacheEngine.Concurrency;

/// <summary>A counter that five nodes increment while nodes die, replies are lost, and the authority restarts.</summary>
public class CounterSoak(ITestOutputHelper output)
{
    private const int Nodes = 5;
    private const int UpdatesPerNode = 1_000;
    private const string Key = "counter";

    private readonly FlakyLinks _links = new() { DelayedShare = 0.1 };
    private readonly List<CoherentCache<string, long>> _opened = [];
    private long _acknowledged;
    private long _unknown;
    private long _lost;
    private long _refused;
    private int _names;

    [Fact]
    [Rule("P02", "P07", "P23")]
    public async Task Increments_UnderDeathsLostRepliesAndRestarts_AreAcknowledgedOnesAndSomeOfTheUnknown()
    {
        await using var authority = EmbeddedAuthority.Create(new() { LeaseTerm = TimeSpan.FromMilliseconds(200), Links = _links });
        CoherentCache<string, long> first = await OpenAsync(authority);
        await first.SetAsync(Key, 0);
        using var over = new CancellationTokenSource();
        Task faults = DisturbAsync(authority, over.Token);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Nodes).Select(_ => Task.Run(() => IncrementAsync(authority))));
        await over.CancelAsync();
        await faults;
        _links.Heal(authority);
        Lookup<long> final = await first.GetAsync(Key);
        output.WriteLine(
            $"{Nodes * UpdatesPerNode} updates in {clock.Elapsed.TotalSeconds:f1} s: {_acknowledged} acknowledged, {_unknown} unknown, {_lost} lost their right, "
            + $"{_refused} never sent, on {_names} nodes; the counter stands at {final.Value}");
        Assert.InRange(final.Value, _acknowledged, _acknowledged + _unknown);
        Assert.Equal(Nodes * UpdatesPerNode, _acknowledged + _unknown + _lost + _refused);
        Assert.True(_acknowledged > Nodes * UpdatesPerNode / 2 && _unknown > 0 && _names > Nodes + 1, "the faults did not happen, or stopped the work");
        foreach (CoherentCache<string, long> cache in _opened)
        {
            Assert.True(SpinWait.SpinUntil(() => cache.Engine.OperationsInFlight == 0, TimeSpan.FromSeconds(30)));
            await cache.DisposeAsync();
        }
    }

    private async Task<CoherentCache<string, long>> OpenAsync(EmbeddedAuthority authority)
    {
        var cache = await CoherentCache.OpenAsync<string, long>(authority, "counters", new()
        {
            NodeName = $"node{Interlocked.Increment(ref _names)}",
            OperationTimeout = TimeSpan.FromSeconds(2),
        });
        lock (_opened)
        {
            _opened.Add(cache);
        }

        return cache;
    }

    /// <summary>One node's work; when its links die, a new node goes on with the rest.</summary>
    private async Task IncrementAsync(EmbeddedAuthority authority)
    {
        CoherentCache<string, long> cache = await OpenAsync(authority);
        for (int i = 0; i < UpdatesPerNode; i++)
        {
            bool isDying = i % 400 == 399;
            Task death = isDying ? DieAsync(cache) : Task.CompletedTask;

            try
            {
                Lookup<long> result = await cache.UpdateAsync(Key, 1L, static (old, one) => old + one);
                Interlocked.Increment(ref _acknowledged);
                Assert.True(result.IsHit);
                if (i % 16 == 0)
                {
                    // So that the others have something to take away.
                    await Task.Delay(1);
                }
            }
            catch (AuthorityUnavailableException exception)
            {
                Interlocked.Increment(ref exception.IsOutcomeUnknown ? ref _unknown : ref _refused);
            }
            catch (CapabilityLostException)
            {
                Interlocked.Increment(ref _lost);
            }

            await death;
            cache = isDying ? await OpenAsync(authority) : cache;
        }
    }

    /// <summary>In the middle of an update, or with the right that it has brought.</summary>
    private async Task DieAsync(CoherentCache<string, long> cache)
    {
        await Task.Delay(1);
        _links.Kill(cache.Engine.Opening.Node);
    }

    private async Task DisturbAsync(EmbeddedAuthority authority, CancellationToken over)
    {
        var random = new Random(1);
        for (int i = 1; !over.IsCancellationRequested; i++)
        {
            await Task.Delay(random.Next(5, 40), CancellationToken.None);
            if (i % 10 == 0)
            {
                authority.Restart();
            }
            else
            {
                authority.CutOff($"node{random.Next(1, _names + 1)}");
            }
        }
    }
}
