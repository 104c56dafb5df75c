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

    [Fact]
    [Rule("P15", "P22")]
    public async Task Flush_ServerCrashedBetween_IsThereForAClaimInAnotherProcess()
    {
        var identity = Guid.NewGuid();
        StoreNode older = await JoinAsync(identity: identity);
        AuthorityMessage grant = await older.BufferAsync("key", "1");
        await older.FlushAsync(grant, tid: 1, grant.Version + 1, "2");
        await fixture.Server.CrashAsync();
        await fixture.Server.StartAsync();
        await using PostgreSqlRecordStore other = await ConnectAsync();
        var newer = new StoreNode(other, await other.OpenAsync(new SessionOpening(Region, "shape", "node", identity, default), default));
        AuthorityMessage claimed = await newer.ClaimAsync(grant, grant.Caps);
        Assert.Equal((grant.Caps, grant.Version + 1), (claimed.Caps, claimed.Version));
        await newer.ClaimsDoneAsync();
        Assert.Equal(AuthorityMessageKind.Flushed, (await newer.FlushAsync(grant, tid: 2, grant.Version + 2, "3")).Kind);
        Assert.Equal(AuthorityMessageKind.Flushed, (await newer.FlushAsync(grant, tid: 1, grant.Version + 1, "2")).Kind);
        await newer.ReleaseAsync(claimed);
        var reader = new StoreNode(other, await other.OpenAsync(new SessionOpening(Region, "shape", "node", Guid.NewGuid(), default), default));
        Assert.Equal(grant.Version + 2, (await reader.AskAsync(ClientMessageKind.Acquire, "key")).Version);
    }

    [Fact]
    [Rule("P22")]
    public async Task Sweep_AnEndThatWasLeftHalfDone_IsFinishedAsItBegan()
    {
        StoreNode closed = await JoinAsync();
        StoreNode silent = await JoinAsync();
        AuthorityMessage grant = await closed.BufferAsync("key", "1");
        AuthorityMessage other = await silent.BufferAsync("other", "1");

        // As a process leaves it that dies between the session's row and its records.
        await SetAsync(closed, "state", SessionRowState.Closed);
        await SetAsync(silent, "state", SessionRowState.Over);
        await Store.SweepAsync(default);
        StoreNode reader = await JoinAsync();
        Assert.Equal(grant.Version, (await reader.AskAsync(ClientMessageKind.Acquire, "key")).Version);
        AuthorityMessage seen = await reader.AskAsync(ClientMessageKind.Acquire, "other");
        Assert.True(seen.Version > other.VersionLimit);
        var store = (PostgreSqlRecordStore)Store;
        Assert.Equal(1, store.BuffersTaken);
        Assert.Equal(
            seen.Version,
            await store.Database.ScalarAsync(
                Commands.Sql("SELECT version FROM cacheengine.taken WHERE session = $1 AND kept = $2").With(silent.Id.Value).With(other.Version), default));
    }

    [Theory]
    [Rule("P22")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ClaimsDone_RepeatedBecauseItsProcessFailed_ClosesWhatWasLeft(bool isHalfDone)
    {
        var identity = Guid.NewGuid();
        StoreNode older = await JoinAsync(identity: identity);
        AuthorityMessage grant = await older.BufferAsync("key", "1");
        StoreNode newer = await JoinAsync(identity: identity);
        ClientMessage done = newer.Number(new ClientMessage { Kind = ClientMessageKind.ClaimsDone, IsClean = true });

        // The message is taken in, and of what follows from it nothing is done, or the first step only.
        await SetAsync(older, "identity", Guid.NewGuid());
        await newer.ApplyAsync(done);
        await SetAsync(older, "identity", identity);
        if (isHalfDone)
        {
            await SetAsync(older, "state", SessionRowState.Closed);
        }

        Assert.Equal(0, (await newer.ApplyAsync(done)).Refused);
        await AssertStandsAsync(grant.Version, "1");
        Assert.Equal(0, ((PostgreSqlRecordStore)Store).BuffersTaken);
    }

    private async Task SetAsync<T>(StoreNode node, string column, T value) => await ((PostgreSqlRecordStore)Store).Database.ScalarAsync(
        Commands.Sql($"UPDATE cacheengine.session SET {column} = $2 WHERE id = $1").With(node.Id.Value).With(value), default);

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
        new PostgreSqlStoreOptions
        {
            ConnectionString = fixture.Server.ConnectionString,
            Terms = Terms,
            TimeProvider = Time,

            // Time stands still here, but not for a busy server.
            Patience = TimeSpan.FromSeconds(30),
        });
}
