using CacheEngine.PostgreSql.Link;
using CacheEngine.PostgreSql.Store;
using CacheEngine.PostgreSql.Stress;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Tests;

/// <summary>Caches over a database. Two authorities stand for two processes: they share nothing but the server.</summary>
[Collection(ServerCollection.Name)]
public sealed class PostgreSqlAuthorityTests(ServerFixture fixture) : IAsyncLifetime
{
    private readonly string _region = $"region {Guid.NewGuid():N}";
    private PostgreSqlAuthority _left = null!;
    private PostgreSqlAuthority _right = null!;

    private static PostgreSqlAuthorityOptions Options => new() { LeaseTerm = TimeSpan.FromSeconds(2) };

    public async Task InitializeAsync()
    {
        _left = await ConnectAsync(Options);
        _right = await ConnectAsync(Options);
    }

    public async Task DisposeAsync()
    {
        await _left.DisposeAsync();
        await _right.DisposeAsync();
    }

    [Fact]
    [Rule("P01", "P02")]
    public async Task SetAsync_AcrossProcesses_NoReaderServesTheOldValue()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        for (long i = 1; i <= 20; i++)
        {
            await left.SetAsync("key", i);
            Assert.False(right.TryGet("key", out long old) && old != i);
            Assert.Equal(i, (await right.GetAsync("key")).Value);
            Assert.True(right.TryGet("key", out long served) && served == i);
        }

        Assert.Equal(0, _left.RefusedMessages + _right.RefusedMessages);
    }

    [Fact]
    [Rule("P27")]
    public async Task SetAsync_EveryDoorbellLost_GoesOnByPolling()
    {
        await using PostgreSqlAuthority deaf = await ConnectAsync(Options with { DoorbellLoss = 1 });
        await using CoherentCache<string, long> left = await OpenAsync(deaf);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        for (long i = 1; i <= 3; i++)
        {
            await right.SetAsync("key", i);
            Assert.Equal(i, (await left.GetAsync("key")).Value);
        }

        Assert.True(left.Revokes >= 2);
    }

    [Fact]
    public async Task GetOrCreateAsync_ManyNodes_OneLoads()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        int loads = 0;
        ValueTask<long> Load(string key, CancellationToken token) => ValueTask.FromResult((long)Interlocked.Increment(ref loads));
        long[] values = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => (i % 2 == 0 ? left : right).GetOrCreateAsync("key", Load).AsTask()));
        Assert.All(values, value => Assert.Equal(1, value));
        Assert.Equal(1, loads);
    }

    [Fact]
    public async Task UpdateAsync_BothProcesses_LosesNothing()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        await left.SetAsync("key", 0);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            (i % 2 == 0 ? left : right).UpdateAsync("key", 1, static (old, by) => old + by).AsTask()));
        Assert.Equal(40, (await left.GetAsync("key")).Value);
    }

    [Fact]
    [Rule("P01", "FLU-01")]
    public async Task SetAsync_Back_AnotherProcessSeesTheLastWrite()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        long last = await left.SetAsync("key", 0, mode: WriteMode.Back);
        int buffered = 0;
        for (long i = 1; i <= 100; i++)
        {
            ValueTask<long> write = left.SetAsync("key", i, mode: WriteMode.Back);
            buffered += write.IsCompletedSuccessfully ? 1 : 0;
            last = await write;
        }

        Lookup<long> seen = await right.GetAsync("key");
        Assert.Equal((100, last), (seen.Value, seen.Version));
        Assert.True(buffered > 0);
        Assert.Equal(0, _left.RefusedMessages);
    }

    [Fact]
    [Rule("P15", "P22")]
    public async Task FlushAsync_ServerCrashesUnderWay_NothingIsLost()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        await left.SetAsync("key", 0, mode: WriteMode.Back);
        long last = await left.SetAsync("key", 1, mode: WriteMode.Back);
        await fixture.Server.CrashAsync();
        Task flush = left.FlushAsync("key").AsTask();
        await Task.Delay(100);
        await fixture.Server.StartAsync();
        await flush;
        Lookup<long> seen = await right.GetAsync("key");
        Assert.Equal((1, last), (seen.Value, seen.Version));
        Assert.Equal(0, _left.Store.BuffersTaken + _right.Store.BuffersTaken);
    }

    [Fact]
    public async Task SetAsync_WithExpiration_EndsOnEveryNode()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        await left.SetAsync("key", 1, new CoherentCacheEntryOptions { Expiration = TimeSpan.FromMilliseconds(300) });
        Assert.True((await right.GetAsync("key")).IsHit);
        await Task.Delay(400);
        Assert.False(left.TryGet("key", out long _) || right.TryGet("key", out long _));
        Assert.False((await right.GetAsync("key")).IsHit);
    }

    [Fact]
    [Rule("P07", "P09")]
    public async Task BeginWriteAsync_AtTheSource_FencesGrowAcrossProcesses()
    {
        CoherentCacheOptions<string, long> source = new()
        {
            Placement = ValuePlacement.Source,
            RaiseFenceAsync = static (_, _, _) => default,
        };
        await using CoherentCache<string, long> left = await CoherentCache.OpenAsync(_left, _region, source);
        await using CoherentCache<string, long> right = await CoherentCache.OpenAsync(_right, _region, source);
        long last = 0;
        foreach (CoherentCache<string, long> cache in (CoherentCache<string, long>[])[left, right, left, right])
        {
            await using CacheWrite<string, long> write = await cache.BeginWriteAsync("key");
            Assert.True(write.Fence.Value > last);
            last = write.Fence.Value;
            write.Complete(last);
        }

        Assert.Equal(5, await left.GetOrCreateAsync("key", static (_, _) => ValueTask.FromResult(5L)));
    }

    [Fact]
    public async Task DisposeAsync_OfAReader_GivesItsRightsBackAtOnce()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        CoherentCache<string, long> right = await OpenAsync(_right);
        await right.GetAsync("key");
        await right.DisposeAsync();
        await left.SetAsync("key", 1).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await UntilAsync(async () => await CountAsync("SELECT count(*) FROM cacheengine.session WHERE region = $1") == 1);
        await UntilAsync(async () => await CountAsync(
            "SELECT count(*) FROM cacheengine.touched t JOIN cacheengine.record r ON r.id = t.record WHERE r.region = $1") == 1);
    }

    [Fact]
    public async Task SetAsync_ServerCrashesUnderWay_IsAnsweredOnceItIsBack()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        await left.SetAsync("key", 1);
        Assert.Equal(1, (await right.GetAsync("key")).Value);
        await fixture.Server.CrashAsync();
        Task<long> set = left.SetAsync("key", 2).AsTask();
        await Task.Delay(100);
        await fixture.Server.StartAsync();
        await set;
        Assert.False(right.TryGet("key", out long old) && old != 2);
        Assert.Equal(2, (await right.GetAsync("key")).Value);
    }

    [Fact]
    [Rule("P15", "P22")]
    public async Task EndAsync_OfABufferingNodesSession_ItClaimsWhatItHadAndLosesNothing()
    {
        await using CoherentCache<string, long> left = await OpenAsync(_left);
        await left.SetAsync("key", 0, mode: WriteMode.Back);
        long last = await left.SetAsync("key", 1, mode: WriteMode.Back);
        long session = await CountAsync("SELECT max(id) FROM cacheengine.session WHERE region = $1");
        await _right.Store.EndAsync(new SessionId(session), rightsAreOver: false, default);
        await UntilAsync(async () => await CountAsync("SELECT min(id) FROM cacheengine.session WHERE region = $1") > session);
        await left.FlushAsync("key");
        await using CoherentCache<string, long> right = await OpenAsync(_right);
        Lookup<long> seen = await right.GetAsync("key");
        Assert.Equal((1, last), (seen.Value, seen.Version));
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (int tries = 0; !await isSo(); tries++)
        {
            Assert.True(tries < 500);
            await Task.Delay(20);
        }
    }

    private async Task<long> CountAsync(string sql) => (long)(await _left.Store.Database.ScalarAsync(Commands.Sql(sql).With(_region), default))!;

    private Task<PostgreSqlAuthority> ConnectAsync(PostgreSqlAuthorityOptions options) =>
        PostgreSqlAuthority.ConnectAsync(fixture.Server.ConnectionString, options);

    private ValueTask<CoherentCache<string, long>> OpenAsync(PostgreSqlAuthority authority) =>
        CoherentCache.OpenAsync<string, long>(authority, _region, new() { Serializer = new StampSerializer() });
}
