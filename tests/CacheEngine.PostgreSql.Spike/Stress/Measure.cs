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
    private const string BareSelect = "SELECT 1";
    private const string BareUpdate = "UPDATE bare SET value = value + 1 WHERE id = 1 RETURNING value";

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

    /// <summary>Times an operation, and in turn with it the two bare statements: what the machine does meanwhile, it does to all of them.</summary>
    private static async Task TellAsync(string what, Database database, Func<int, Task> operation, int rounds = Rounds, int pause = 0)
    {
        int warmUp = Math.Min(WarmUp, rounds / 10);
        long trips = 0;
        List<double> times = [];
        List<double> selects = [];
        List<double> updates = [];
        for (int i = 0; i < warmUp + rounds; i++)
        {
            await Task.Delay(pause);
            long before = database.RoundTrips;
            double time = await TimeAsync(() => operation(i));
            if (i >= warmUp)
            {
                trips += database.RoundTrips - before;
                times.Add(time);
                selects.Add(await TimeAsync(() => database.ScalarAsync(Commands.Sql(BareSelect), default).AsTask()));
                updates.Add(await TimeAsync(() => database.ScalarAsync(Commands.Sql(BareUpdate), default).AsTask()));
            }
        }

        await Console.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-46} {trips / (double)rounds,5:0.00} trips   p50 {Share(times, 0.5),6:0} us   p90 {Share(times, 0.9),6:0} us   "
            + $"SELECT 1 {Share(selects, 0.5),5:0} us   UPDATE {Share(updates, 0.5),5:0} us   ratio to UPDATE {Share(times, 0.5) / Share(updates, 0.5),5:0.0}"));
    }

    private static async Task<double> TimeAsync(Func<Task> operation)
    {
        long start = Stopwatch.GetTimestamp();
        await operation();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    private static double Share(List<double> times, double share) => times.Order().ElementAt((int)(times.Count * share));
}
