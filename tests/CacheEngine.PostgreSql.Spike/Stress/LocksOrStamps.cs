using System.Diagnostics;
using CacheEngine.PostgreSql.Store;
using Npgsql;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>
/// Two ways to make a transition atomic, as bare statements of its shape: rows locked over both round trips, or read without locks and written only if nothing
/// has changed meanwhile. A transition reads one of twelve records and three of six sessions, and gives two of these a message each.
/// </summary>
internal static class LocksOrStamps
{
    private const int Records = 12;
    private const int Sessions = 6;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(3);

    public static async Task CompareAsync(string connectionString)
    {
        await using var database = new Database(connectionString, TimeSpan.FromSeconds(5));
        await database.ScalarAsync(Commands.Sql("CREATE TABLE r (id int PRIMARY KEY, stamp bigint, state bytea) WITH (fillfactor = 50)"), default);
        await database.ScalarAsync(Commands.Sql("CREATE TABLE s (id int PRIMARY KEY, owed bigint, received bytea) WITH (fillfactor = 50)"), default);
        await database.ScalarAsync(Commands.Sql("INSERT INTO r SELECT i, 0, decode(repeat('00', 300), 'hex') FROM generate_series(0, 11) i"), default);
        await database.ScalarAsync(Commands.Sql("INSERT INTO s SELECT i, 0, decode(repeat('00', 520), 'hex') FROM generate_series(0, 5) i"), default);
        foreach (int workers in (int[])[1, 6])
        {
            await RunAsync("locks", workers, random => LockedAsync(database, random));
            await RunAsync("stamps", workers, random => StampedAsync(database, random));
        }
    }

    private static async Task RunAsync(string name, int workers, Func<Random, Task<bool>> transition)
    {
        long done = 0;
        long conflicts = 0;
        long end = Stopwatch.GetTimestamp() + (long)(Duration.TotalSeconds * Stopwatch.Frequency);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            while (Stopwatch.GetTimestamp() < end)
            {
                Interlocked.Increment(ref await transition(random) ? ref done : ref conflicts);
            }
        })));
        Console.WriteLine($"{name,-7} {workers} workers: {done / Duration.TotalSeconds,7:0} transitions/s, {(double)conflicts / Math.Max(1, done):0.00} conflicts each");
    }

    private static (int Record, int[] Read, int[] Owed) Draw(Random random)
    {
        int[] sessions = [.. Enumerable.Range(0, Sessions).OrderBy(_ => random.Next()).Take(3)];
        return (random.Next(Records), [.. sessions.Order()], [.. sessions.Take(2).Order()]);
    }

    private static async Task<bool> LockedAsync(Database database, Random random)
    {
        (int record, int[] read, int[] owed) = Draw(random);
        await using NpgsqlConnection connection = await database.OpenAsync(default);
        await using NpgsqlBatch first = connection.CreateBatch();
        first.BatchCommands.Add(Commands.Sql("BEGIN"));
        first.BatchCommands.Add(Commands.Sql("SELECT stamp, state FROM r WHERE id = $1 FOR UPDATE").With(record));
        first.BatchCommands.Add(Commands.Sql("SELECT owed FROM s WHERE id = ANY($1) ORDER BY id FOR UPDATE").With(read));
        await database.ExecuteAsync(first, default);
        await using NpgsqlBatch second = connection.CreateBatch();
        second.BatchCommands.Add(Commands.Sql("UPDATE r SET stamp = stamp + 1, state = state WHERE id = $1").With(record));
        second.BatchCommands.Add(Commands.Sql("UPDATE s SET owed = owed + 1 WHERE id = ANY($1)").With(owed));
        second.BatchCommands.Add(Commands.Sql("COMMIT"));
        await database.ExecuteAsync(second, default);
        return true;
    }

    private static async Task<bool> StampedAsync(Database database, Random random)
    {
        (int record, int[] read, int[] owed) = Draw(random);
        await using NpgsqlConnection connection = await database.OpenAsync(default);
        await using NpgsqlBatch first = connection.CreateBatch();
        first.BatchCommands.Add(Commands.Sql("SELECT stamp, state FROM r WHERE id = $1").With(record));
        first.BatchCommands.Add(Commands.Sql("SELECT id, owed FROM s WHERE id = ANY($1)").With(read));
        var stamps = new Dictionary<int, long>();
        long stamp;
        await using (NpgsqlDataReader reader = await database.QueryAsync(first, default))
        {
            await reader.ReadAsync();
            stamp = reader.GetInt64(0);
            await reader.NextResultAsync();
            while (await reader.ReadAsync())
            {
                stamps[reader.GetInt32(0)] = reader.GetInt64(1);
            }
        }

        // What is not as it was read makes the guard divide by zero, and the batch, which is one transaction, comes to nothing.
        await using NpgsqlBatch second = connection.CreateBatch();
        second.BatchCommands.Add(Commands.Sql(
            "WITH u AS (UPDATE r SET stamp = stamp + 1, state = state WHERE id = $1 AND stamp = $2 RETURNING 1) SELECT 1 / count(*) FROM u")
            .With(record).With(stamp));
        second.BatchCommands.Add(Commands.Sql(
            "SELECT id FROM s WHERE id = ANY($1) ORDER BY id FOR UPDATE").With(read));
        second.BatchCommands.Add(Commands.Sql(
            "SELECT 1 / (count(*) = $3)::int FROM s JOIN unnest($1::int[], $2::bigint[]) u (i, o) ON s.id = u.i AND s.owed = u.o")
            .With(read).With<long[]>([.. read.Select(id => stamps[id])]).With((long)read.Length));
        second.BatchCommands.Add(Commands.Sql("UPDATE s SET owed = owed + 1 WHERE id = ANY($1)").With(owed));
        try
        {
            await database.ExecuteAsync(second, default);
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.DivisionByZero)
        {
            return false;
        }
    }
}
