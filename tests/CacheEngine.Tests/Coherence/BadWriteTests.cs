using CacheEngine.Arbitration;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Coherence;

/// <summary>Bad input to what changes things: standard exceptions that name the rule, and nothing changed.</summary>
public class BadWriteTests
{
    private static readonly Func<string, int, string> Keep = static (old, _) => old;

    [Fact]
    public async Task NullArguments_AreNamed()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        CoherentCache<string, string> cache = cluster.Nodes[0];
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.UpdateAsync(null!, 0, Keep));
        await Assert.ThrowsAsync<ArgumentNullException>("update", async () => await cache.UpdateAsync<int>("k", 0, null!));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.TryUpdateAsync(null!, 0, "v"));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.RecallAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.BeginWriteAsync(null!));
        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public async Task WhatIsForTheOtherPlacement_IsRefused_AndSaysWhatToDo()
    {
        await using Cluster<string> authority = await Cluster<string>.OpenAsync(1);
        InvalidOperationException begin = await Assert.ThrowsAsync<InvalidOperationException>(async () => await authority.Nodes[0].BeginWriteAsync("k"));
        Assert.Contains("UpdateAsync", begin.Message, StringComparison.Ordinal);

        await using Cluster<string> bare = await Cluster<string>.OpenAsync(1, cache: o => o.Placement = ValuePlacement.Source);
        InvalidOperationException terms = await Assert.ThrowsAsync<InvalidOperationException>(async () => await bare.Nodes[0].BeginWriteAsync("k"));
        Assert.Contains("MaxSourceWriteTime", terms.Message, StringComparison.Ordinal);
        await Refused(async () => await bare.Nodes[0].UpdateAsync("k", 0, Keep));
        await Refused(async () => await bare.Nodes[0].TryUpdateAsync("k", 0, "v"));
        await Refused(async () => await bare.Nodes[0].SetManyAsync([new("k", "v")]));
        Assert.Equal(0, bare.Nodes[0].Count);

        static async Task Refused(Func<Task> call) =>
            Assert.Contains("BeginWriteAsync", (await Assert.ThrowsAsync<InvalidOperationException>(call)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NodesThatDisagreeOnHowTheSourceIsKept_AreRefused()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: source.Options());
        await Refused(new() { Placement = ValuePlacement.Source });
        await Refused(new() { Placement = ValuePlacement.Source, MaxSourceWriteTime = TimeSpan.FromSeconds(1) });
        await using CoherentCache<string, string> same = await CoherentCache.OpenAsync(
            cluster.Authority, "region", new CoherentCacheOptions<string, string> { Placement = ValuePlacement.Source, RaiseFenceAsync = static (_, _, _) => default });
        await using Cluster<string> bounded = await Cluster<string>.OpenAsync(1, cache: source.Options(TimeSpan.FromSeconds(1)));
        await Assert.ThrowsAsync<SessionRejectedException>(async () => await CoherentCache.OpenAsync(
            bounded.Authority,
            "region",
            new CoherentCacheOptions<string, string> { Placement = ValuePlacement.Source, MaxSourceWriteTime = TimeSpan.FromSeconds(2) }));

        async Task Refused(CoherentCacheOptions<string, string> options) =>
            await Assert.ThrowsAsync<SessionRejectedException>(async () => await CoherentCache.OpenAsync(cluster.Authority, "region", options));
    }

    [Fact]
    public async Task AWrite_SaysOneWord_Once()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: source.Options());
        CacheWrite<string, string> completed = await cluster.Nodes[0].BeginWriteAsync("k");
        completed.Complete("v");
        Assert.Contains("completed", Assert.Throws<InvalidOperationException>(() => completed.Complete("w")).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(completed.Complete);
        Assert.Throws<InvalidOperationException>(completed.Abandon);
        await completed.DisposeAsync();
        Assert.True(cluster.Nodes[0].TryGet("k", out string? value));
        Assert.Equal("v", value);
        Assert.Throws<ObjectDisposedException>(() => completed.Complete("w"));
        Assert.Throws<ObjectDisposedException>(completed.Abandon);

        CacheWrite<string, string> abandoned = await cluster.Nodes[0].BeginWriteAsync("k");
        abandoned.Abandon();
        Assert.Contains("abandoned", Assert.Throws<InvalidOperationException>(() => abandoned.Complete("w")).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(abandoned.Abandon);
        await abandoned.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => abandoned.Complete("w"));
        cluster.Authority.Store.Inspect(record => Assert.False(record.IsUnsettled));
    }

    [Fact]
    public async Task AWriteDisposedByMany_IsSettledOnce()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: source.Options());
        for (int round = 0; round < 50; round++)
        {
            CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
            int words = 0;
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
            {
                try
                {
                    write.Complete($"{round}.{i}");
                    Interlocked.Increment(ref words);
                }
                catch (InvalidOperationException)
                {
                    // Another was first.
                }

                await write.DisposeAsync();
            })));
            Assert.Equal(1, words);
        }

        Assert.Equal(0, cluster.Nodes[0].Engine.OperationsInFlight);
        Assert.Equal(0, cluster.Authority.RefusedMessages);
    }

    [Theory]
    [Rule("P08", "P17")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ASettlementUnderAnotherKeysFence_IsRefused_AndChangesNothing(bool ofAnotherNode)
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: source.Options());
        CacheWrite<string, string> mine = await cluster.Nodes[0].BeginWriteAsync("mine");
        CacheWrite<string, string> theirs = await cluster.Nodes[ofAnotherNode ? 1 : 0].BeginWriteAsync("theirs");
        long asked = 0;
        var before = new List<(long, Fence, OwnerState)>();
        cluster.Authority.Store.Inspect(record =>
        {
            before.Add((record.Version, record.Fence, record.Owner));
            asked = record.Fence == mine.Fence && record.Owner.Session == cluster.Nodes[0].Engine.Session.Link!.Id ? record.Owner.Request : asked;
        });
        Engine engine = cluster.Nodes[0].Engine;
        var message = new ClientMessage
        {
            Kind = ClientMessageKind.Settle,
            Inode = cluster.Nodes[ofAnotherNode ? 1 : 0].Resolve("theirs").UnguardedId,
            RequestId = 1_000_000,
            Ownership = new Ownership(asked + 1_000, mine.Fence),
            Settlement = Settlement.Completed,
        };
        engine.Session.Stamp(ref message, engine.Session.Link!);
        engine.Session.Link!.Post(message);
        var after = new List<(long, Fence, OwnerState)>();
        cluster.Authority.Store.Inspect(record => after.Add((record.Version, record.Fence, record.Owner)));
        Assert.Equal(before, after);
        mine.Complete("v");
        await mine.DisposeAsync();
        theirs.Complete("v");
        await theirs.DisposeAsync();
    }

    [Fact]
    public async Task AnInodeOfAnotherRegion_CannotBeWritten()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        await cluster.Nodes[0].SetAsync("k", "v");
        InodeId id = cluster.Nodes[0].Resolve("k").UnguardedId;
        await using CoherentCache<string, string> stranger = await CoherentCache.OpenAsync<string, string>(cluster.Authority, "other");
        Session session = stranger.Engine.Session;
        foreach (ClientMessageKind kind in new[] { ClientMessageKind.Write, ClientMessageKind.Remove, ClientMessageKind.Own, ClientMessageKind.Recall })
        {
            long refused = cluster.Authority.RefusedMessages;
            var message = new ClientMessage { Kind = kind, Inode = id, Payload = Payload.OfReference("forged") };
            session.Stamp(ref message, session.Link!);
            session.Link!.Post(message);
            Assert.Equal(refused + 1, cluster.Authority.RefusedMessages);
            Assert.True(cluster.Nodes[0].TryGet("k", out string? value));
            Assert.Equal("v", value);
        }

        // Its own objects are as good as before.
        await stranger.SetAsync("k", "w");
        Assert.Equal(("v", "w"), ((await cluster.Nodes[0].GetAsync("k")).Value, (await stranger.GetAsync("k")).Value));
    }

    [Fact]
    public async Task DisposedCache_RefusesEveryChange()
    {
        var source = new FencedSource();
        Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        CoherentCache<string, string> cache = cluster.Nodes[0];
        await cache.SetAsync("k", "v");
        await cluster.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.UpdateAsync("k", 0, Keep));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.TryUpdateAsync("k", 1, "v"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.SetManyAsync([new("k", "v")]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.RecallAsync("k"));
        Cluster<string> writers = await Cluster<string>.OpenAsync(1, cache: source.Options());
        await writers.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await writers.Nodes[0].BeginWriteAsync("k"));
    }

    [Fact]
    public async Task CacheDisposedWhileAChangeWaits_TheChangeFails_AndOthersGoOn()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: source.Options());
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        Task<CacheWrite<string, string>> waiting = cluster.Nodes[1].BeginWriteAsync("k").AsTask();
        await cluster.Nodes[1].DisposeAsync();
        await Assert.ThrowsAsync<AuthorityUnavailableException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(5)));
        write.Complete("v");
        await write.DisposeAsync();
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
        Assert.Empty(source.Log);
    }
}
