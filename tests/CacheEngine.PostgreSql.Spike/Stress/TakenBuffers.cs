using System.Buffers.Binary;
using System.Diagnostics;
using CacheEngine.Coherence;
using CacheEngine.PostgreSql.Store;
using CacheEngine.Protocol;
using Npgsql;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>
/// What the database says of the buffers that were taken in a stress, as its history knows it: each undid what had not been flushed.
/// </summary>
/// <remarks>The log is written with the transition, so a restore is in it exactly if it was committed, whatever its process was told.</remarks>
internal static class TakenBuffers
{
    private const string Select = """
        SELECT r.key, t.kept, t.version, t.value, (extract(epoch FROM clock_timestamp() - t.at) * 1000000)::bigint
        FROM cacheengine.taken t JOIN cacheengine.record r ON r.id = t.record WHERE r.region = $1
        """;

    /// <summary>How far the database's wall clock may step during a run. A restore that is said to have been called too early weakens the check by as much.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(20);

    public static async Task<List<HistoryEvent>> ReadAsync(string connectionString)
    {
        var codec = new ValueCodec<long>(new StampSerializer());
        var restores = new List<HistoryEvent>();
        await using var database = new Database(connectionString, TimeSpan.FromSeconds(5));
        await using NpgsqlConnection connection = await database.OpenAsync(default);
        await using NpgsqlBatch batch = connection.CreateBatch();
        batch.BatchCommands.Add(Commands.Sql(Select).With(StressChild.Region));
        long now = Stopwatch.GetTimestamp();
        await using NpgsqlDataReader reader = await database.QueryAsync(batch, default);
        while (await reader.ReadAsync())
        {
            TimeSpan ago = TimeSpan.FromMicroseconds(reader.GetInt64(4)) + Margin;
            restores.Add(new HistoryEvent(
                EventKind.Restore,
                BinaryPrimitives.ReadInt32LittleEndian(reader.GetFieldValue<byte[]>(0)),
                reader.IsDBNull(3) ? HistoryEvent.Absent : codec.Decode(Payload.OfBytes(reader.GetFieldValue<byte[]>(3))),
                reader.GetInt64(2),
                now - (long)(ago.TotalSeconds * Stopwatch.Frequency),
                HistoryEvent.Pending,
                HistoryEvent.Nobody)
            { LostAfter = reader.GetInt64(1) });
        }

        return restores;
    }
}
