using CacheEngine.Embedded;

namespace CacheEngine.Tests.Coherence;

/// <summary>
/// A load that began before a change must not put the old value back after it: FusionCache #613, #625 and #535, guava #1881, scenarios L1C-01 and
/// L1C-02, promise P29.
/// </summary>
public class LateLoadTests
{
    [Theory]
    [Rule("P29", "L1C-01")]
    [InlineData(0)]
    [InlineData(1)]
    public async Task RemoveDuringALoad_OnEitherNode_TheLoadedValueIsNotKept(int remover)
    {
        // FusionCache #625, guava #1881.
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        var gate = new TaskCompletionSource<string>();
        Task<string> load = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask();

        await cluster.Nodes[remover].RemoveAsync("k").AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        gate.SetResult("old");

        Assert.Equal("old", await load);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].GetAsync("k")).Status);
        Assert.Equal("new", await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("new")));
    }

    [Theory]
    [Rule("P29")]
    [InlineData(0)]
    [InlineData(1)]
    public async Task SetDuringALoad_OnEitherNode_TheWrittenValueStays(int writer)
    {
        // FusionCache #535.
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        var gate = new TaskCompletionSource<string>();
        Task<string> load = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask();

        await cluster.Nodes[writer].SetAsync("k", "written").AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        gate.SetResult("loaded");

        Assert.Equal("loaded", await load);
        Assert.Equal("written", (await cluster.Nodes[0].GetAsync("k")).Value);
        Assert.Equal("written", (await cluster.Nodes[1].GetAsync("k")).Value);
    }

    [Fact]
    [Rule("P29")]
    public async Task CallerAfterTheChange_DoesNotJoinTheLoadFromBeforeIt()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        var gate = new TaskCompletionSource<string>();
        Task<string> early = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask();
        await cluster.Nodes[1].RemoveAsync("k");

        string late = await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("new")).AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        gate.SetResult("old");

        Assert.Equal("new", late);
        Assert.Equal("old", await early);
        Assert.True(cluster.Nodes[0].TryGet("k", out string? kept));
        Assert.Equal("new", kept);
    }

    [Fact]
    [Rule("P29", "L1C-01")]
    public async Task FetchWhileARemovalIsUnderWay_DoesNotBringTheOldValueBack()
    {
        // FusionCache #613: the removal has begun, its revokes are under way, and a reader fetches.
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(3, o => o.LeaseTerm = TimeSpan.FromSeconds(30));
        await cluster.Nodes[0].SetAsync("k", "old");
        await cluster.Nodes[1].GetAsync("k");
        cluster.Links.Cut(LinkDirection.ToNode, "node1");
        Task<long> removal = cluster.Nodes[0].RemoveAsync("k").AsTask();

        Task<Lookup<string>> fetch = cluster.Nodes[2].GetAsync("k").AsTask();
        await Task.Delay(50);
        Assert.False(removal.IsCompleted);
        cluster.Links.Restore(cluster.Authority);
        await removal;

        Assert.Equal(LookupStatus.Absent, (await fetch).Status);
        Assert.All(cluster.Nodes, node => Assert.False(node.TryGet("k", out _)));
    }

    [Fact]
    [Rule("P29")]
    public async Task AnswerWhoseValueEndedOnTheWay_IsNotForThoseWhoCalledAfterTheEndWasSeen()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = TimeSpan.FromSeconds(30));
        await cluster.Nodes[1].SetAsync("k", "old", new CoherentCacheEntryOptions { Expiration = TimeSpan.FromMilliseconds(300) });
        cluster.Links.Cut(LinkDirection.ToNode, "node0");
        Task<Lookup<string>> early = cluster.Nodes[0].GetAsync("k").AsTask();
        while ((await cluster.Nodes[1].GetAsync("k")).Status != LookupStatus.Absent)
        {
            await Task.Delay(20);
        }

        Task<Lookup<string>> late = cluster.Nodes[0].GetAsync("k").AsTask();
        cluster.Links.Restore(cluster.Authority);

        Assert.Equal(LookupStatus.Absent, (await late.WaitAsync(TimeSpan.FromSeconds(20))).Status);
        await early;
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
    }

    [Fact]
    [Rule("P29", "L1C-01")]
    public async Task AtTheSource_LoadFromBeforeTheChange_IsNotKept()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: o => o.Placement = ValuePlacement.Source);
        string source = "old";
        var gate = new TaskCompletionSource();
        Task<string> load = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) =>
        {
            string read = source;
            await gate.Task;
            return read;
        }).AsTask();

        source = "new";
        await cluster.Nodes[1].RemoveAsync("k").AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        gate.SetResult();

        Assert.Equal("old", await load);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        Assert.Equal("new", await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult(source)));
    }

    [Fact]
    [Rule("P29", "L1C-02")]
    public async Task AtTheSource_GrantThatArrivesAfterALaterChange_IsNotServed()
    {
        // The answer to the question is under way, the change is made and its revoke follows the answer on the same link.
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: o => o.Placement = ValuePlacement.Source);
        cluster.Links.Cut(LinkDirection.ToNode, "node0");
        string source = "42";
        Task<string> load = cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult(source)).AsTask();
        Task<long> change = cluster.Nodes[1].RemoveAsync("k").AsTask();
        await Task.Delay(50);
        Assert.False(change.IsCompleted);

        source = "43";
        cluster.Links.Restore(cluster.Authority);
        await change;
        await load;

        Assert.Equal("43", await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult(source)));
    }

    [Fact]
    public async Task AtTheSource_AfterItsTime_AValueIsLoadedAgain()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o =>
        {
            o.Placement = ValuePlacement.Source;
            o.Expiration = TimeSpan.FromMilliseconds(60);
        });
        int loads = 0;
        await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult($"{++loads}"));
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
        await Task.Delay(120);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        Assert.Equal("2", await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult($"{++loads}")));
    }
}
