namespace CacheEngine.Tests.Coherence;

/// <summary>Writes that expect a version, writes of several keys, recalls, and values that end by themselves.</summary>
public class ConditionalTests
{
    [Fact]
    public async Task TryUpdate_OnTheCurrentVersion_IsWritten_FromAnyNode()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        long first = await cluster.Nodes[0].SetAsync("k", "a");
        UpdateResult second = await cluster.Nodes[1].TryUpdateAsync("k", first, "b");
        Assert.Equal((true, first + 1), (second.IsUpdated, second.Version));
        UpdateResult third = await cluster.Nodes[1].TryUpdateAsync("k", second.Version, "c");
        Assert.True(third.IsUpdated);
        Assert.Equal("c", (await cluster.Nodes[0].GetAsync("k")).Value);
        Assert.True(cluster.Nodes[1].TryGet("k", out string? value, out long version));
        Assert.Equal(("c", third.Version), (value, version));
    }

    [Fact]
    [Rule("P17")]
    public async Task TryUpdate_OnAnOldVersion_DisturbsNobody_AndNeedsNoMessageWhereTheValueIsServed()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(3);
        long first = await cluster.Nodes[0].SetAsync("k", "a");
        long second = await cluster.Nodes[0].SetAsync("k", "b");
        await cluster.Nodes[1].GetAsync("k");

        // The one serves it, the other has to ask.
        cluster.Links.Cut("node1");
        UpdateResult local = await cluster.Nodes[1].TryUpdateAsync("k", first, "c");
        Assert.True(cluster.Nodes[1].TryGet("k", out _));
        cluster.Links.Restore(cluster.Authority);
        UpdateResult asked = await cluster.Nodes[2].TryUpdateAsync("k", first, "c");

        Assert.Equal((false, second), (local.IsUpdated, local.Version));
        Assert.Equal((false, second), (asked.IsUpdated, asked.Version));
        Assert.Equal([0, 0, 0], cluster.Nodes.Select(node => node.Revokes));
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
        Assert.True(cluster.Nodes[1].TryGet("k", out _));
        Assert.Equal("b", (await cluster.Nodes[2].GetAsync("k")).Value);
    }

    [Fact]
    public async Task TryUpdate_OnAVersionThatNeverWas_IsAnError_AndChangesNothing()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        long version = await cluster.Nodes[0].SetAsync("k", "a");
        foreach (CoherentCache<string, string> node in cluster.Nodes)
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>("expectedVersion", async () => await node.TryUpdateAsync("k", version + 1, "b"));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>("expectedVersion", async () => await node.TryUpdateAsync("k", long.MaxValue, "b"));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>("expectedVersion", async () => await node.TryUpdateAsync("k", -1, "b"));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>("expectedVersion", async () => await node.TryUpdateAsync("never", 1, "b"));
        }

        Assert.Equal(("a", version), ((await cluster.Nodes[1].GetAsync("k")).Value, (await cluster.Nodes[1].GetAsync("k")).Version));
    }

    [Fact]
    public async Task TryUpdate_OnZero_IsForAKeyThatWasNeverWritten()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        Assert.Equal(0, (await cluster.Nodes[0].GetAsync("k")).Version);
        UpdateResult first = await cluster.Nodes[0].TryUpdateAsync("k", 0, "a");
        Assert.True(first.IsUpdated);
        UpdateResult second = await cluster.Nodes[1].TryUpdateAsync("k", 0, "b");
        Assert.Equal((false, first.Version), (second.IsUpdated, second.Version));
        long absent = await cluster.Nodes[0].RemoveAsync("k");
        Assert.False((await cluster.Nodes[1].TryUpdateAsync("k", 0, "b")).IsUpdated);
        Assert.True((await cluster.Nodes[1].TryUpdateAsync("k", absent, "b")).IsUpdated);
        Assert.Equal("b", (await cluster.Nodes[0].GetAsync("k")).Value);
    }

    [Fact]
    [Rule("CAP-03")]
    public async Task TryUpdate_RacingOnOneVersion_OneWins()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(4);
        long version = await cluster.Nodes[0].SetAsync("k", "0");
        for (int round = 0; round < 50; round++)
        {
            UpdateResult[] results = await Task.WhenAll(cluster.Nodes.Select((node, i) =>
                Task.Run(async () => await node.TryUpdateAsync("k", version, $"{round}.{i}"))));
            UpdateResult winner = Assert.Single(results, result => result.IsUpdated);
            version = winner.Version;
            Assert.All(results, result => Assert.Equal(version, result.Version));
            Assert.Equal($"{round}.{Array.IndexOf(results, winner)}", (await cluster.Nodes[round % 4].GetAsync("k")).Value);
        }
    }

    [Fact]
    public async Task SetMany_WritesEach_TheLastOfARepeatedKeyStands()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        long[] versions = await cluster.Nodes[0].SetManyAsync([new("a", "1"), new("b", "2"), new("a", "3")]);
        Assert.Equal(3, versions.Length);
        Assert.True(versions[2] > versions[0]);
        Assert.Equal(["3", "2"], (await cluster.Nodes[1].GetManyAsync(["a", "b"])).Select(found => found.Value));
        Assert.Equal(versions[2], (await cluster.Nodes[1].GetAsync("a")).Version);
        Assert.Empty(await cluster.Nodes[0].SetManyAsync([]));
    }

    [Fact]
    public async Task SetMany_WithANullKey_OrBeyondTheEntries_SendsNothing()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.MaxEntries = 2);
        CoherentCache<string, string> node = cluster.Nodes[0];
        await Assert.ThrowsAsync<ArgumentNullException>("entries", async () => await node.SetManyAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("entries", async () => await node.SetManyAsync([new("a", "1"), new(null!, "2")]));
        Assert.Equal(0, node.Count);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await node.SetManyAsync([new("a", "1"), new("b", "2"), new("c", "3")]));
        Assert.Equal([LookupStatus.Absent, LookupStatus.Absent], (await node.GetManyAsync(["a", "b"])).Select(found => found.Status));
        Assert.Equal(0, node.Engine.OperationsInFlight);
    }

    [Fact]
    public async Task Recall_EndsTheServingEverywhere_AndTheValueSurvives()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(3);
        long version = await cluster.Nodes[0].SetAsync("k", "v");
        await cluster.Nodes[1].GetAsync("k");
        Assert.Equal(version, await cluster.Nodes[2].RecallAsync("k"));
        Assert.All(cluster.Nodes, node => Assert.False(node.TryGet("k", out _)));
        foreach (CoherentCache<string, string> node in cluster.Nodes)
        {
            Assert.Equal(("v", version), ((await node.GetAsync("k")).Value, (await node.GetAsync("k")).Version));
        }

        Assert.Equal(0, await cluster.Nodes[0].RecallAsync("never"));
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].GetAsync("never")).Status);
        Assert.Equal(version, await cluster.Nodes[0].RecallAsync("k"));
        Assert.Equal("v", await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("unused")));
    }

    [Theory]
    [Rule("P01")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Expiration_IsKeptOnEveryNode_ToTheMillisecond_AndTheAbsenceIsNewer(bool copies)
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(3, o =>
        {
            o.TimeProvider = time;
            o.CopyValues = copies;
            o.ClockGranularity = TimeSpan.FromMilliseconds(1);
        });
        long writtenAt = time.Now;
        var options = new CoherentCacheEntryOptions { Expiration = TimeSpan.FromSeconds(2) };
        long version = await cluster.Nodes[0].SetAsync("k", "v", options);
        await cluster.Nodes[1].GetAsync("k");
        time.Advance(1_000);
        Assert.Equal("v", (await cluster.Nodes[2].GetAsync("k")).Value);
        Assert.All(cluster.Nodes, node => Assert.True(node.TryGet("k", out _)));
        time.AdvanceTo(writtenAt + 1_999);
        foreach (CoherentCache<string, string> node in cluster.Nodes)
        {
            Assert.Equal("v", (await node.GetAsync("k")).Value);
        }

        time.AdvanceTo(writtenAt + 2_000);
        Assert.All(cluster.Nodes, node => Assert.False(node.TryGet("k", out _)));
        foreach (CoherentCache<string, string> node in cluster.Nodes)
        {
            Lookup<string> absent = await node.GetAsync("k");
            Assert.Equal((LookupStatus.Absent, version + 1), (absent.Status, absent.Version));
        }

        int runs = 0;
        string[] loaded = await Task.WhenAll(cluster.Nodes.Select(node => node.GetOrCreateAsync("k", (_, _) => ValueTask.FromResult($"load {++runs}"), options).AsTask()));
        Assert.Equal(["load 1", "load 1", "load 1"], loaded);
        time.Advance(2_000);
        Assert.Equal("load 2", await cluster.Nodes[2].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult($"load {++runs}")));
        time.Advance(100_000);
        Assert.Equal("load 2", (await cluster.Nodes[0].GetAsync("k")).Value);
    }

    [Fact]
    public async Task Expiration_OfTheCache_IsOverriddenByTheEntry_AndAnUpdateStartsANewLife()
    {
        var time = new ManualTimeProvider();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(
            2, o => o.TimeProvider = time, o => o.Expiration = TimeSpan.FromSeconds(1));
        await cluster.Nodes[0].SetAsync("short", "v");
        await cluster.Nodes[0].SetAsync("long", "v", new CoherentCacheEntryOptions { Expiration = TimeSpan.FromSeconds(10) });
        time.Advance(900);
        await cluster.Nodes[1].UpdateAsync("short", 0, static (old, _) => old + "w");
        time.Advance(900);
        Assert.Equal("vw", (await cluster.Nodes[0].GetAsync("short")).Value);
        time.Advance(100);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].GetAsync("short")).Status);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].UpdateAsync("short", 0, static (old, _) => old)).Status);
        Assert.Equal("v", (await cluster.Nodes[1].GetAsync("long")).Value);
    }

    [Fact]
    public async Task Absence_IsServedWithoutAskingAgain_UntilSomebodyWrites()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].GetAsync("k")).Status);
        long asked = cluster.Nodes[1].Questions;
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].GetAsync("k")).Status);
        Assert.Equal(asked, cluster.Nodes[1].Questions);
        await cluster.Nodes[0].SetAsync("k", "v");
        Assert.Equal("v", (await cluster.Nodes[1].GetAsync("k")).Value);
        Assert.Equal(asked + 1, cluster.Nodes[1].Questions);
    }

    [Fact]
    public void Expiration_OutOfRange_IsNamed()
    {
        foreach (TimeSpan span in new[] { TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.FromDays(36_525) + TimeSpan.FromTicks(1) })
        {
            Assert.Throws<ArgumentOutOfRangeException>("Expiration", () => new CoherentCacheEntryOptions { Expiration = span });
        }

        Assert.Null(new CoherentCacheEntryOptions { Expiration = null }.Expiration);
        Assert.Equal(TimeSpan.FromDays(36_525), new CoherentCacheEntryOptions { Expiration = TimeSpan.FromDays(36_525) }.Expiration);
    }
}
