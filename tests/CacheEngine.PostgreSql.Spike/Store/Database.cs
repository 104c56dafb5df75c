using Npgsql;
using NpgsqlTypes;

namespace CacheEngine.PostgreSql.Store;

/// <summary>The connections of one process to its server, and how many round trips they have made.</summary>
internal sealed class Database : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _renewals;
    private readonly string _unpooled;
    private long _roundTrips;

    /// <param name="connectionString">Where the server is.</param>
    /// <param name="patience">How long the server waits for a process that holds locks and says nothing; then it takes them back.</param>
    public Database(string connectionString, TimeSpan patience)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            // Nothing is left behind on a connection, so nothing needs to be reset; and each statement is prepared at its first use.
            NoResetOnClose = true,
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 1,
            // Every statement goes by an index, whatever the tables' statistics say today, and need not be planned anew: that halves the time of a transition.
            Options = $"-c idle_in_transaction_session_timeout={(long)patience.TotalMilliseconds} -c plan_cache_mode=force_generic_plan -c enable_seqscan=off",
        };
        _source = NpgsqlDataSource.Create(builder);

        // However many transactions wait for locks, a renewal finds a connection.
        builder.MaxPoolSize = 4;
        _renewals = NpgsqlDataSource.Create(builder);
        builder.Pooling = false;
        _unpooled = builder.ConnectionString;
    }

    public long RoundTrips => Volatile.Read(ref _roundTrips);

    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => _source.OpenConnectionAsync(cancellationToken);

    public ValueTask<NpgsqlConnection> OpenForRenewalAsync(CancellationToken cancellationToken) => _renewals.OpenConnectionAsync(cancellationToken);

    /// <summary>Opens a connection that is lent to nobody else, for whoever listens on it.</summary>
    public async ValueTask<NpgsqlConnection> OpenAloneAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_unpooled);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a batch and reads the answers of all its commands.</summary>
    public async ValueTask<NpgsqlDataReader> QueryAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _roundTrips);
        return await batch.ExecuteReaderAsync(cancellationToken);
    }

    public async ValueTask<int> ExecuteAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _roundTrips);
        return await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs one statement on a connection of its own and returns its first value.</summary>
    public async ValueTask<object?> ScalarAsync(NpgsqlBatchCommand command, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken);
        await using NpgsqlBatch batch = connection.CreateBatch();
        batch.BatchCommands.Add(command);
        Interlocked.Increment(ref _roundTrips);
        return await batch.ExecuteScalarAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _renewals.DisposeAsync();
    }
}

/// <summary>Commands with positional parameters, typed so that nothing is boxed or guessed.</summary>
internal static class Commands
{
    public static NpgsqlBatchCommand Sql(string text) => new(text);

    public static NpgsqlBatchCommand With<T>(this NpgsqlBatchCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return command;
    }

    public static NpgsqlBatchCommand WithBytes(this NpgsqlBatchCommand command, byte[]? value)
    {
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bytea, Value = (object?)value ?? DBNull.Value });
        return command;
    }
}
