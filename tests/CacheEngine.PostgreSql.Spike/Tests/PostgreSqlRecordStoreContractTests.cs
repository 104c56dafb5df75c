using CacheEngine.Authority;
using CacheEngine.PostgreSql.Store;
using CacheEngine.Protocol;
using CacheEngine.Tests.Embedded;
using Npgsql;

namespace CacheEngine.PostgreSql.Tests;

/// <summary>The contract, kept in a database; and what only a database can go through.</summary>
[Collection(ServerCollection.Name)]
public sealed class PostgreSqlRecordStoreContractTests(ServerFixture fixture) : RecordStoreContract
{
    private protected override async ValueTask<IRecordStore> OpenStoreAsync() => await ConnectAsync();

    private protected override async ValueTask ForgetAsync() =>
        await ((PostgreSqlRecordStore)Store).Database.ScalarAsync(Commands.Sql("SELECT cacheengine.forgotten()"), default);

    [Fact]
    public async Task Apply_ServerCrashedBetween_SessionAndValueGoOn()
    {
        StoreNode node = await JoinAsync();
        AuthorityMessage written = await node.AskAsync(ClientMessageKind.Write, "key", "1");
        ClientMessage[] batch = [node.Number(Write("key", "2"))];
        await fixture.Server.CrashAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => node.ApplyAsync(batch));
        await fixture.Server.StartAsync();
        await RepeatAsync(node, batch);
        AuthorityMessage again = Assert.Single(node.Received, message => message.RequestId == batch[0].RequestId);
        Assert.True(again.Version > written.Version);
    }

    [Fact]
    public async Task Doorbell_SessionOfAnotherProcess_IsRungThere()
    {
        await using PostgreSqlRecordStore other = await ConnectAsync();
        var rung = new TaskCompletionSource();
        other.Doorbell = _ => rung.TrySetResult();
        StoreNode writer = await JoinAsync();
        AuthorityMessage written = await writer.AskAsync(ClientMessageKind.Write, "key", "1");
        var opening = new SessionOpening(Region, "shape", "node", Guid.NewGuid(), default);
        var reader = new StoreNode(other, await other.OpenAsync(opening, default));
        AuthorityMessage grant = await reader.AskAsync(ClientMessageKind.Acquire, "key");
        Assert.Equal(written.Inode, grant.Inode);
        Assert.NotEqual(written.Cap, grant.Cap);
        await writer.SendAsync(Write("key", "2"));
        await rung.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(AuthorityMessageKind.Revoke, Assert.Single(await reader.FetchAsync()).Kind);
    }

    [Fact]
    [Rule("P06")]
    public async Task Look_ByAProcessThatHasJustCome_WaitsAFullTermOfItsOwn()
    {
        StoreNode holder = await JoinAsync();
        AuthorityMessage grant = await holder.AskAsync(ClientMessageKind.Acquire, "key");
        Time.Advance(10 * Term);
        await using PostgreSqlRecordStore other = await ConnectAsync();
        var opening = new SessionOpening(Region, "shape", "node", Guid.NewGuid(), default);
        var writer = new StoreNode(other, await other.OpenAsync(opening, default));
        await writer.SendAsync(Write("key", "1"));
        Assert.Empty(writer.Received);
        Time.Advance(Term + Margin);
        await other.LookAsync(grant.Inode, default);
        Assert.Single(await writer.FetchAsync());
    }

    private static async Task RepeatAsync(StoreNode node, ClientMessage[] batch)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                Assert.True((await node.ApplyAsync(batch)).IsOpen);
                return;
            }
            catch (NpgsqlException) when (tries < 100)
            {
                await Task.Delay(20);
            }
        }
    }

    private Task<PostgreSqlRecordStore> ConnectAsync() => PostgreSqlRecordStore.ConnectAsync(
        new PostgreSqlStoreOptions { ConnectionString = fixture.Server.ConnectionString, Terms = Terms, TimeProvider = Time });
}
