namespace CacheEngine.Tests.Coherence;

/// <summary>Atomic updates, conditional writes, writes of several keys and recalls, with the values at the authority.</summary>
public class UpdateTests
{
    private static readonly Func<string, string, string> Append = static (old, more) => old + more;

    [Theory]
    [Rule("P01", "P02", "CAP-03")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Update_ConcurrentlyFromAllNodes_LosesNone(bool copies)
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(4, o => o.CopyValues = copies);
        await cluster.Nodes[0].SetAsync("k", "0");
        const int Each = 100;
        Task<List<long>>[] writers = [.. cluster.Nodes.Select(node => Task.Run(async () =>
        {
            var versions = new List<long>();
            for (int i = 0; i < Each; i++)
            {
                Lookup<string> updated = await node.UpdateAsync("k", 1, static (old, by) => $"{int.Parse(old, null) + by}");
                Assert.True(updated.IsHit);
                versions.Add(updated.Version);
            }

            return versions;
        }))];

        List<long>[] versions = await Task.WhenAll(writers).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(4 * Each, versions.SelectMany(each => each).Distinct().Count());
        Assert.All(versions, each => Assert.Equal(each.Order(), each));
        foreach (CoherentCache<string, string> node in cluster.Nodes)
        {
            Assert.Equal($"{4 * Each}", (await node.GetAsync("k")).Value);
        }
    }

    [Fact]
    [Rule("CAP-03")]
    public async Task Update_OfAValueType_CountsEveryCall()
    {
        await using Cluster<long> cluster = await Cluster<long>.OpenAsync(2);
        await cluster.Nodes[0].SetAsync("k", 0);
        await Task.WhenAll(cluster.Nodes.Select(node => Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                await node.UpdateAsync("k", 2L, static (old, by) => old + by);
            }
        })));
        Assert.Equal(400, (await cluster.Nodes[1].GetAsync("k")).Value);
        Assert.Equal(400, (await cluster.Nodes[0].GetAsync("k")).Value);
    }

    [Fact]
    [Rule("BRK-05")]
    public async Task Update_WhoseFunctionHoldsOthersUpForTooLong_LosesItsRight_AndNothingIsChanged()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = time, o => o.BreakTimeout = TimeSpan.FromSeconds(1));
        await cluster.Nodes[0].SetAsync("k", "v");
        Task<long>? other = null;
        await Assert.ThrowsAsync<CapabilityLostException>(async () => await cluster.Nodes[0].UpdateAsync("k", 0, (old, _) =>
        {
            time.Advance(100_000);
            other = cluster.Nodes[1].SetAsync("k", "w").AsTask();
            time.Advance(999);
            Assert.False(other.IsCompleted);
            time.Advance(1);
            Crew.Await(() => other.IsCompleted, "the other's write");
            return old + "late";
        }));
        Assert.Equal("w", (await cluster.Nodes[0].GetAsync("k")).Value);
        Assert.Equal(await other!, (await cluster.Nodes[1].GetAsync("k")).Version);
        AssertIdle(cluster);
    }

    [Fact]
    public async Task Update_ThrowingFunction_LeavesEverythingAsItWas()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        long version = await cluster.Nodes[0].SetAsync("k", "v");
        await Assert.ThrowsAsync<FormatException>(async () =>
            await cluster.Nodes[1].UpdateAsync<int>("k", 0, static (_, _) => throw new FormatException("on purpose")));
        Assert.Equal(("v", version), Told(await cluster.Nodes[0].GetAsync("k")));
        Assert.Equal(("v", version), Told(await cluster.Nodes[1].GetAsync("k")));
        Assert.Equal(("vw", version + 1), Told(await cluster.Nodes[0].UpdateAsync("k", "w", Append)));
        AssertIdle(cluster);
    }

    [Fact]
    public async Task Update_AbsentKey_RunsNothing_AndTellsTheVersionOfTheAbsence()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        bool ran = false;
        Lookup<string> never = await cluster.Nodes[0].UpdateAsync("k", 0, (old, _) => Ran(old));
        Assert.Equal((LookupStatus.Absent, 0), (never.Status, never.Version));
        await cluster.Nodes[0].SetAsync("k", "v");
        long removed = await cluster.Nodes[1].RemoveAsync("k");
        Lookup<string> absent = await cluster.Nodes[0].UpdateAsync("k", 0, (old, _) => Ran(old));
        Assert.Equal((LookupStatus.Absent, removed), (absent.Status, absent.Version));
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].GetAsync("k")).Status);
        Assert.False(ran);
        AssertIdle(cluster);

        string Ran(string old)
        {
            ran = true;
            return old;
        }
    }

    [Fact]
    public async Task Update_BehindAWriteOfItsOwnNode_SeesIt_AndThoseBehindSeeBoth()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        CoherentCache<string, string> node = cluster.Nodes[0];
        await node.SetAsync("k", "a");
        cluster.Links.Cut("node0");
        Task<long> first = node.SetAsync("k", "b").AsTask();
        Task<Lookup<string>> second = node.UpdateAsync("k", "c", Append).AsTask();
        Task<Lookup<string>> third = node.UpdateAsync("k", "d", Append).AsTask();
        Task<Lookup<string>> read = node.GetAsync("k").AsTask();
        Assert.False(node.TryGet("k", out _));
        cluster.Links.Restore(cluster.Authority);
        await first;
        Assert.Equal("bc", (await second).Value);
        Assert.Equal("bcd", (await third).Value);
        Assert.Equal("bcd", (await read).Value);
        AssertIdle(cluster);
    }

    [Fact]
    public async Task Update_OfAKeyThatIsBeingLoaded_GoesBehindTheLoadOrFindsNothing_AndTheLoadEnds()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        var gate = new TaskCompletionSource<string>();
        Task<string> load = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask();
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].UpdateAsync("k", "x", Append)).Status);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].UpdateAsync("k", "x", Append)).Status);
        gate.SetResult("loaded");
        Assert.Equal("loaded", await load);
        AssertIdle(cluster);
    }

    [Fact]
    [Rule("P01", "P06")]
    public async Task Update_UnderCutLinks_LosesItsRight_AndNothingOfItTakesEffect()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = time);
        await cluster.Nodes[0].SetAsync("k", "v");
        Task<Lookup<string>> update = cluster.Nodes[0].UpdateAsync("k", cluster, static (old, cluster) =>
        {
            cluster.Links.Cut("node0");
            return old + "lost";
        }).AsTask();
        Assert.False(update.IsCompleted);
        Task<long> other = cluster.Nodes[1].SetAsync("k", "w").AsTask();
        await time.AdvanceUntilAsync(() => other.IsCompleted, 6_000);
        cluster.Links.Restore(cluster.Authority);
        await Assert.ThrowsAsync<CapabilityLostException>(() => update.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal("w", (await cluster.Nodes[0].GetAsync("k")).Value);
        AssertIdle(cluster);
    }

    [Fact]
    public async Task Update_NeverAnswered_IsUnavailable_WithAnUnknownOutcomeOnceItsValueWasSent()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, o => o.TimeProvider = time, o => o.OperationTimeout = TimeSpan.FromSeconds(2));
        await cluster.Nodes[0].SetAsync("k", "v");
        Task<Lookup<string>> sent = cluster.Nodes[0].UpdateAsync("k", cluster, static (old, cluster) =>
        {
            cluster.Links.Cut("node0");
            return old + "w";
        }).AsTask();
        Task<Lookup<string>> waiting = cluster.Nodes[0].UpdateAsync("k", "x", Append).AsTask();
        await time.AdvanceUntilAsync(() => sent.IsCompleted && waiting.IsCompleted, 3_000);
        Assert.True((await Assert.ThrowsAsync<AuthorityUnavailableException>(() => sent)).IsOutcomeUnknown);
        Assert.False((await Assert.ThrowsAsync<AuthorityUnavailableException>(() => waiting)).IsOutcomeUnknown);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        cluster.Links.Restore(cluster.Authority);
        Assert.Equal("vw", (await cluster.Nodes[0].GetAsync("k")).Value);
        AssertIdle(cluster);
    }

    [Fact]
    public async Task Update_CanceledWhileItWaits_HoldsNothingAfterwards_AndOthersGoOn()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        await cluster.Nodes[0].SetAsync("k", "v");
        cluster.Links.Cut("node0");
        using var cancellation = new CancellationTokenSource();
        bool ran = false;
        Task<Lookup<string>> update = cluster.Nodes[1].UpdateAsync(
            "k",
            0,
            (old, _) =>
            {
                ran = true;
                return old;
            },
            cancellationToken: cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        OperationCanceledException canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => update);
        Assert.IsNotType<WriteCanceledException>(canceled);
        cluster.Links.Restore(cluster.Authority);
        Assert.Equal("vw", (await cluster.Nodes[0].UpdateAsync("k", "w", Append).AsTask().WaitAsync(TimeSpan.FromSeconds(5))).Value);
        Assert.Equal("vw", (await cluster.Nodes[1].GetAsync("k").AsTask().WaitAsync(TimeSpan.FromSeconds(5))).Value);
        Assert.False(ran);
        AssertIdle(cluster);
    }

    private static (string?, long) Told(Lookup<string> lookup) => (lookup.Value, lookup.Version);

    private static void AssertIdle(Cluster<string> cluster)
    {
        foreach (CoherentCache<string, string> node in cluster.Nodes)
        {
            Assert.Equal(0, node.Engine.OperationsInFlight);
        }

        cluster.Authority.Store.Inspect(record => Assert.True(record is { Owner.IsOpen: false, Requests.Count: 0 }));
    }
}
