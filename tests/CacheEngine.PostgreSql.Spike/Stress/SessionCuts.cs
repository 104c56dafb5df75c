using System.Diagnostics;
using CacheEngine.PostgreSql.Store;
using CacheEngine.Sessions;
using Npgsql;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>Cuts a session off now and then, whichever: its node opens another, claims what it had, and flushes what it had buffered.</summary>
internal sealed class SessionCuts
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1_500);

    private readonly string _connectionString;
    private readonly long _until;
    private readonly Task<int> _running;

    public SessionCuts(string connectionString, long until)
    {
        _connectionString = connectionString;
        _until = until;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Waits for the end; how many sessions were cut off.</summary>
    public Task<int> FinishAsync() => _running;

    private async Task<int> RunAsync()
    {
        await using PostgreSqlRecordStore store = await PostgreSqlRecordStore.ConnectAsync(
            new PostgreSqlStoreOptions { ConnectionString = _connectionString, Terms = StressChild.Options.ToTerms() });
        int done = 0;
        while (Stopwatch.GetTimestamp() < _until)
        {
            await Task.Delay(Pause);
            try
            {
                object? session = await store.Database.ScalarAsync(
                    Commands.Sql("SELECT id FROM cacheengine.session WHERE state = 0 AND region = $1 ORDER BY random() LIMIT 1").With(StressChild.Region), default);
                if (session is long id)
                {
                    await store.EndAsync(new SessionId(id), rightsAreOver: false, default);
                    done++;
                }
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
            {
                // The server is away.
            }
        }

        return done;
    }
}
