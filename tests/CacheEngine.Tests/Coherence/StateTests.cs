using System.Collections.Concurrent;

namespace CacheEngine.Tests.Coherence;

/// <summary>What a cache says of its own state.</summary>
public class StateTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();
    private readonly ConcurrentQueue<(CacheState From, CacheState To)> _seen = [];

    [Fact]
    [Rule("P06")]
    public async Task Lapse_IsToldFromTheDeadlineOn_AndItsEnd()
    {
        await using Cluster<string> cluster = await OpenAsync();
        CoherentCache<string, string> node = cluster.Nodes[0];
        Assert.Equal(CacheState.Serving, node.State);
        long deadline = node.Engine.Session.Deadline;
        cluster.Links.Cut("node0");
        _time.AdvanceTo(deadline - 1);
        Assert.Equal(CacheState.Serving, node.State);
        Assert.Empty(_seen);
        _time.AdvanceTo(deadline);
        Assert.Equal(CacheState.Lapsed, node.State);
        _time.Advance(250);
        await SeenAsync((CacheState.Serving, CacheState.Lapsed));
        cluster.Links.Restore(cluster.Authority);
        await _time.AdvanceUntilAsync(() => node.State == CacheState.Serving, 3_000);
        await SeenAsync((CacheState.Serving, CacheState.Lapsed), (CacheState.Lapsed, CacheState.Serving));
    }

    [Fact]
    [Rule("P10")]
    public async Task LostSession_IsTold_AndTheNextOne_AndTheEnd()
    {
        await using Cluster<string> cluster = await OpenAsync();
        CoherentCache<string, string> node = cluster.Nodes[0];
        cluster.Links.Cut("node0");
        await _time.AdvanceUntilAsync(() => node.State == CacheState.Disconnected, 26_000);
        await SeenAsync((CacheState.Serving, CacheState.Lapsed), (CacheState.Lapsed, CacheState.Disconnected));
        cluster.Links.Restore(cluster.Authority);
        await _time.AdvanceUntilAsync(() => node.State == CacheState.Serving, 1_000);
        await SeenAsync(
            (CacheState.Serving, CacheState.Lapsed), (CacheState.Lapsed, CacheState.Disconnected), (CacheState.Disconnected, CacheState.Serving));
        await node.DisposeAsync();
        Assert.Equal(CacheState.Disposed, node.State);
        await SeenAsync(
            (CacheState.Serving, CacheState.Lapsed),
            (CacheState.Lapsed, CacheState.Disconnected),
            (CacheState.Disconnected, CacheState.Serving),
            (CacheState.Serving, CacheState.Disposed));
    }

    [Fact]
    public async Task Restart_IsSurvived_AndWhatWasServedIsServedAgain()
    {
        await using Cluster<string> cluster = await OpenAsync();
        CoherentCache<string, string> node = cluster.Nodes[0];
        long version = await node.SetAsync("k", "v");
        cluster.Authority.Restart();
        Lookup<string> found = await node.GetAsync("k").AsTask().WaitAsync(Patience);
        Assert.Equal(("v", version, CacheState.Serving), (found.Value, found.Version, node.State));
        Assert.True(await node.SetAsync("k", "w").AsTask().WaitAsync(Patience) > version);
    }

    [Fact]
    public async Task AHandlerThatThrows_HarmsNeitherTheCacheNorTheOtherHandlers()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, o => o.TimeProvider = _time);
        CoherentCache<string, string> node = cluster.Nodes[0];
        node.StateChanged += static (_, _) => throw new FormatException("on purpose");
        Watch(node);
        await LapseAndReturnAsync(cluster);
        await SeenAsync((CacheState.Serving, CacheState.Lapsed), (CacheState.Lapsed, CacheState.Serving));
        await node.SetAsync("k", "v");
        Assert.True(node.TryGet("k", out _));
    }

    [Fact]
    public async Task AHandler_RunsOnNoPump_AndMayWaitForTheCache()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, o => o.TimeProvider = _time);
        CoherentCache<string, string> node = cluster.Nodes[0];
        var told = new TaskCompletionSource<string?>();
        node.StateChanged += (sender, change) =>
        {
            Assert.Same(node, sender);
            if (change.Current == CacheState.Serving)
            {
                node.SetAsync("k", "from the handler").AsTask().GetAwaiter().GetResult();
                told.TrySetResult(node.GetAsync("k").AsTask().GetAwaiter().GetResult().Value);
            }
        };
        Watch(node);
        await LapseAndReturnAsync(cluster);
        Assert.Equal("from the handler", await told.Task.WaitAsync(Patience));
    }

    private async Task LapseAndReturnAsync(Cluster<string> cluster)
    {
        cluster.Links.Cut("node0");
        await _time.AdvanceUntilAsync(() => _seen.Count == 1, 6_000);
        cluster.Links.Restore(cluster.Authority);
        await _time.AdvanceUntilAsync(() => cluster.Nodes[0].State == CacheState.Serving, 3_000);
    }

    private async Task<Cluster<string>> OpenAsync()
    {
        Cluster<string> cluster = await Cluster<string>.OpenAsync(1, o => o.TimeProvider = _time);
        Watch(cluster.Nodes[0]);
        return cluster;
    }

    private void Watch(CoherentCache<string, string> node) => node.StateChanged += (sender, change) =>
    {
        Assert.Same(node, sender);
        _seen.Enqueue((change.Previous, change.Current));
    };

    private async Task SeenAsync(params (CacheState, CacheState)[] expected)
    {
        for (int i = 0; i < 1_000 && _seen.Count < expected.Length; i++)
        {
            await Task.Delay(1);
        }

        Assert.Equal(expected, _seen);
    }
}
