using System.Diagnostics;
using System.Globalization;
using CacheEngine.PostgreSql.Link;
using CacheEngine.PostgreSql.Server;
using CacheEngine.PostgreSql.Store;
using Npgsql;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>
/// Round trips and latencies of each kind of operation, one at a time, beside what the database itself takes on the same kind of connection.
/// </summary>
internal static class Measure
{
    private const int Rounds = 1_000;
    private const int WarmUp = 200;
    private const int SharedRounds = 200;
    private const string SharedKey = "shared";

    /// <summary>No renewal, poll or sweep shall be counted with an operation.</summary>
    private static readonly PostgreSqlAuthorityOptions Quiet = new() { LeaseTerm = TimeSpan.FromMinutes(10), PollInterval = TimeSpan.FromMinutes(5) };

    public static async Task<int> RunAsync()
    {
        await using PostgreSqlServer server = await PostgreSqlServer.StartNewAsync();
        await using (PostgreSqlAuthority authority = await PostgreSqlAuthority.ConnectAsync(server.ConnectionString, Quiet))
        {
            await BareAsync(authority.Store.Database);
            CoherentCache<string, long> cache = await OpenAsync(authority);
            await using (cache)
            {
                Database database = authority.Store.Database;
                await TellAsync("get of a new key (binds it)", database, i => cache.GetAsync($"a{i}").AsTask());
                await using CoherentCache<string, long> second = await OpenAsync(authority);
                await TellAsync("get of a key that this process knows", database, i => second.GetAsync($"a{i}").AsTask());
                await TellAsync("set, no sharer", database, _ => cache.SetAsync("own", 1).AsTask());
                await TellAsync("update, no sharer", database, _ => cache.UpdateAsync("own", 1L, static (old, by) => old + by).AsTask());
                await TellAsync("hit", database, _ => Task.FromResult(cache.TryGet("own", out long _)));
                await TellAsync("renewal", database, _ => RenewAsync(authority.Store, cache));
                await SharedAsync(server, cache, database);
            }
        }

        await LocksOrStamps.CompareAsync(server.ConnectionString);
        return 0;
    }

    /// <summary>The other process of the shared measurements: has the value again as soon as it is taken.</summary>
    public static async Task<int> ShareAsync(string connectionString)
    {
        await using PostgreSqlAuthority authority = await PostgreSqlAuthority.ConnectAsync(connectionString, Quiet);
        await using CoherentCache<string, long> cache = await OpenAsync(authority);
        Lookup<long> found = default;
        while (!found.IsHit || found.Value >= 0)
        {
            found = await cache.GetAsync(SharedKey);
            await Task.Delay(1);
        }

        await Console.Out.WriteLineAsync(
            $"the sharer's process: {authority.Store.Database.RoundTrips / (double)(SharedRounds + (SharedRounds / 10)):0.0} round trips a set, the reading again included");
        return 0;
    }

    private static ValueTask<CoherentCache<string, long>> OpenAsync(PostgreSqlAuthority authority) =>
        CoherentCache.OpenAsync<string, long>(authority, "measure", new() { Serializer = new StampSerializer() });

    private static async Task BareAsync(Database database)
    {
        await database.ScalarAsync(Commands.Sql("CREATE TABLE bare (id int PRIMARY KEY, value bigint, filler bytea)"), default);
        await database.ScalarAsync(Commands.Sql("INSERT INTO bare VALUES (1, 0, '\\x00')"), default);
        await TellAsync("bare SELECT 1", database, _ => database.ScalarAsync(Commands.Sql("SELECT 1"), default).AsTask());
        await TellAsync(
            "bare UPDATE ... RETURNING",
            database,
            _ => database.ScalarAsync(Commands.Sql("UPDATE bare SET value = value + 1 WHERE id = 1 RETURNING value"), default).AsTask());
        await TellAsync("bare BEGIN, SELECT FOR UPDATE; UPDATE, COMMIT", database, _ => LockAndWriteAsync(database));
    }

    private static async Task LockAndWriteAsync(Database database)
    {
        await using NpgsqlConnection connection = await database.OpenAsync(default);
        await using NpgsqlBatch read = connection.CreateBatch();
        read.BatchCommands.Add(Commands.Sql("BEGIN"));
        read.BatchCommands.Add(Commands.Sql("SELECT value FROM bare WHERE id = 1 FOR UPDATE"));
        await database.ExecuteAsync(read, default);
        await using NpgsqlBatch write = connection.CreateBatch();
        write.BatchCommands.Add(Commands.Sql("UPDATE bare SET value = value + 1 WHERE id = 1"));
        write.BatchCommands.Add(Commands.Sql("COMMIT"));
        await database.ExecuteAsync(write, default);
    }

    private static async Task RenewAsync(PostgreSqlRecordStore store, CoherentCache<string, long> cache)
    {
        Sessions.SessionId id = cache.Engine.Session.Link!.Id;
        var renewal = new Protocol.ClientMessage { Kind = Protocol.ClientMessageKind.Renew, Session = id };
        Assert.True((await store.RenewAsync(id, renewal, default)).IsOpen);
    }

    private static async Task SharedAsync(PostgreSqlServer server, CoherentCache<string, long> cache, Database database)
    {
        await cache.SetAsync(SharedKey, 0);
        Task sharer = StressParent.StartSelf(["share", server.ConnectionString]).WaitForExitAsync();
        await Task.Delay(1500);
        await TellAsync("set, one sharer in another process", database, i => cache.SetAsync(SharedKey, i).AsTask(), SharedRounds, pause: 15);
        await cache.SetAsync(SharedKey, -1);
        await sharer;
    }

    private static async Task TellAsync(string what, Database database, Func<int, Task> operation, int rounds = Rounds, int pause = 0)
    {
        int warmUp = Math.Min(WarmUp, rounds / 10);
        long tripsBefore = 0;
        var times = new List<double>();
        for (int i = 0; i < warmUp + rounds; i++)
        {
            if (pause > 0)
            {
                await Task.Delay(pause);
            }

            if (i == warmUp)
            {
                tripsBefore = database.RoundTrips;
            }

            long start = Stopwatch.GetTimestamp();
            await operation(i);
            if (i >= warmUp)
            {
                times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }
        }

        // What an operation has left to be sent is counted with it.
        await Task.Delay(50);
        double trips = (database.RoundTrips - tripsBefore) / (double)rounds;
        times.Sort();
        await Console.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-48} {trips,5:0.00} round trips   p50 {times[rounds / 2],8:0} us   p90 {times[rounds * 9 / 10],8:0} us"));
    }
}
