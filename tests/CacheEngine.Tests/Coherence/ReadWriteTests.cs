namespace CacheEngine.Tests.Coherence;

public class ReadWriteTests
{
    [Fact]
    public async Task Set_OnOneNode_IsReadOnTheOtherAndServedFromItsMemory()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        long version = await cluster.Nodes[0].SetAsync("k", "v1");

        Assert.False(cluster.Nodes[1].TryGet("k", out _));
        Lookup<string> found = await cluster.Nodes[1].GetAsync("k");

        Assert.Equal(("v1", version), (found.Value, found.Version));
        long asked = cluster.Nodes[1].Questions;
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(cluster.Nodes[1].TryGet("k", out string? hit, out long hitVersion));
            Assert.Equal(("v1", version), (hit, hitVersion));
        }

        Assert.Equal(asked, cluster.Nodes[1].Questions);
    }

    [Fact]
    public async Task Set_TakesTheReadersRightsBackBeforeItIsAcknowledged()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(3);
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        await cluster.Nodes[2].GetAsync("k");

        await cluster.Nodes[0].SetAsync("k", "v2");

        Assert.False(cluster.Nodes[1].TryGet("k", out _));
        Assert.False(cluster.Nodes[2].TryGet("k", out _));
        Assert.True(cluster.Nodes[0].TryGet("k", out string? own));
        Assert.Equal("v2", own);
        Assert.Equal("v2", (await cluster.Nodes[1].GetAsync("k")).Value);
    }

    [Fact]
    public async Task Set_WhileARevokeIsHeldUp_IsNotAcknowledged()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = TimeSpan.FromSeconds(30));
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");

        cluster.Links.Cut("node1");
        Task<long> write = cluster.Nodes[0].SetAsync("k", "v2").AsTask();
        await Task.Delay(100);
        Assert.False(write.IsCompleted);
        Assert.True(cluster.Nodes[1].TryGet("k", out string? old));
        Assert.Equal("v1", old);

        cluster.Links.Restore(cluster.Authority);
        await write.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(cluster.Nodes[1].TryGet("k", out _));
    }

    [Fact]
    public async Task Set_FromTheMomentItIsSent_ItsOwnNodeServesNothing()
    {
        // Once the authority has applied a write another node may read it; this node must not serve the old value beside it.
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        await cluster.Nodes[0].SetAsync("k", "v1");
        cluster.Links.Cut("node0");

        Task<long> write = cluster.Nodes[0].SetAsync("k", "v2").AsTask();
        Assert.False(cluster.Nodes[0].TryGet("k", out _));

        cluster.Links.Restore(cluster.Authority);
        await write;
        Assert.True(cluster.Nodes[0].TryGet("k", out string? value));
        Assert.Equal("v2", value);
    }

    [Fact]
    public async Task Versions_GrowWithEveryWriteAndRemoval()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        long first = await cluster.Nodes[0].SetAsync("k", "v1");
        long second = await cluster.Nodes[1].RemoveAsync("k");
        long third = await cluster.Nodes[0].SetAsync("k", "v2");
        Assert.True(first < second && second < third, $"{first} {second} {third}");
    }

    [Fact]
    public async Task Remove_MakesTheKeyCoherentlyAbsent()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");

        await cluster.Nodes[0].RemoveAsync("k");

        Assert.False(cluster.Nodes[1].TryGet("k", out _));
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].GetAsync("k")).Status);
        long asked = cluster.Nodes[1].Questions;
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].GetAsync("k")).Status);
        Assert.Equal(asked, cluster.Nodes[1].Questions);
    }

    [Fact]
    public async Task GetMany_AnswersInOrder_AndAsksOnlyForWhatIsMissing()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2);
        for (int i = 0; i < 50; i += 2)
        {
            await cluster.Nodes[0].SetAsync($"k{i}", $"v{i}");
        }

        await cluster.Nodes[1].GetAsync("k0");
        long asked = cluster.Nodes[1].Questions;
        string[] keys = [.. Enumerable.Range(0, 50).Select(i => $"k{i}"), "k4"];

        Lookup<string>[] found = await cluster.Nodes[1].GetManyAsync(keys);

        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(i % 2 == 0 ? $"v{i}" : null, found[i].Value);
            Assert.Equal(i % 2 == 0 ? LookupStatus.Hit : LookupStatus.Absent, found[i].Status);
        }

        Assert.Equal("v4", found[50].Value);
        Assert.InRange(cluster.Nodes[1].Questions - asked, 49, 50);
        (int total, int used, int reserved, int available) = cluster.Nodes[1].Engine.Pool.Status();
        Assert.Equal((total, 0), (used + reserved + available, reserved));
    }

    [Fact]
    public async Task GetMany_PastTheLimitOfEntries_FailsWhole_AndReservesNothing()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.MaxEntries = 10);
        string[] keys = [.. Enumerable.Range(0, 11).Select(i => $"k{i}")];

        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await cluster.Nodes[0].GetManyAsync(keys));

        Assert.Contains("MaxEntries", error.Message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (cluster.Nodes[0].Engine.Pool.Status().Used, cluster.Nodes[0].Engine.Pool.Status().Reserved));
        Assert.Equal(10, (await cluster.Nodes[0].GetManyAsync(keys[..10])).Length);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await cluster.Nodes[0].SetAsync("one too many", "v"));
        Assert.Equal(10, cluster.Nodes[0].Count);
    }

    [Fact]
    public async Task SpanLookup_FindsWhatTheStringFinds()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        await cluster.Nodes[0].SetAsync("kilo", "v");
        Assert.True(cluster.Nodes[0].TryGet("a kilo".AsSpan(2), out string? value));
        Assert.Equal("v", value);
        Assert.False(cluster.Nodes[0].TryGet("a kil".AsSpan(2), out _));
    }

    [Fact]
    public async Task CopiedValues_AreDecodedOnceANode_AndEqual()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.CopyValues = true);
        await cluster.Nodes[0].SetAsync("k", "värde");
        Assert.Equal("värde", (await cluster.Nodes[1].GetAsync("k")).Value);
        Assert.True(cluster.Nodes[1].TryGet("k", out string? first));
        Assert.True(cluster.Nodes[1].TryGet("k", out string? second));
        Assert.Same(first, second);
    }

    [Fact]
    public async Task NullValues_AreValues()
    {
        foreach (bool copies in new[] { false, true })
        {
            await using Cluster<string?> cluster = await Cluster<string?>.OpenAsync(2, o => o.CopyValues = copies);
            await cluster.Nodes[0].SetAsync("k", null);
            Lookup<string?> found = await cluster.Nodes[1].GetAsync("k");
            Assert.Equal(LookupStatus.Hit, found.Status);
            Assert.Null(found.Value);
        }
    }

    [Fact]
    public async Task Regions_DoNotSeeEachOther()
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create();
        await using CoherentCache<string, string> one = await CoherentCache.OpenAsync<string, string>(authority, "one");
        await using CoherentCache<string, string> two = await CoherentCache.OpenAsync<string, string>(authority, "two");
        await one.SetAsync("k", "v");
        Assert.Equal(LookupStatus.Absent, (await two.GetAsync("k")).Status);
    }

    [Fact]
    public async Task DisposedNode_NoLongerDelaysWriters_AndItsRightsAreGone()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.LeaseTerm = TimeSpan.FromSeconds(30));
        await cluster.Nodes[0].SetAsync("k", "v1");
        await cluster.Nodes[1].GetAsync("k");
        await cluster.Nodes[1].DisposeAsync();

        await cluster.Nodes[0].SetAsync("k", "v2").AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        int holders = 0;
        cluster.Authority.Store.Inspect(record => holders += record.Holders.Count);
        Assert.Equal(1, holders);
    }
}
