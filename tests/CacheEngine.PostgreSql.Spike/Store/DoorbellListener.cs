using System.Globalization;
using CacheEngine.Sessions;
using Npgsql;

namespace CacheEngine.PostgreSql.Store;

/// <summary>Hears this process's channel: the ids of sessions that may be owed something. What is said while nobody listens is lost; then all are rung.</summary>
internal sealed class DoorbellListener(Database database, Action<SessionId> ring, Action ringAll) : IAsyncDisposable
{
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public string Channel { get; } = $"ce_{Guid.NewGuid():N}";

    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await ListenAsync(cancellationToken);
        _loop = Task.Run(() => RunAsync(connection), CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async ValueTask<NpgsqlConnection> ListenAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await database.OpenAloneAsync(cancellationToken);
        try
        {
            connection.Notification += (_, notice) => Hear(notice.Payload);
            await using var command = new NpgsqlCommand($"LISTEN {Channel}", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task RunAsync(NpgsqlConnection? connection)
    {
        // Bound: until disposal, one try per delay.
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                connection ??= await ListenAsync(_stopping.Token);
                ringAll();
                while (true)
                {
                    await connection.WaitAsync(_stopping.Token);
                }
            }
            catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or IOException or InvalidOperationException)
            {
                // The sessions look by themselves now and then: a lost doorbell costs time and nothing else.
            }

            await (connection?.DisposeAsync() ?? default);
            connection = null;
            await Task.Delay(ReconnectDelay, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await (connection?.DisposeAsync() ?? default);
    }

    private void Hear(string payload)
    {
        foreach (string part in payload.Split(','))
        {
            if (long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long id))
            {
                ring(new SessionId(id));
            }
        }
    }
}
