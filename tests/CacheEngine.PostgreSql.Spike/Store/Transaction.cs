using System.Runtime.InteropServices;
using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.PostgreSql.Codec;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using Npgsql;

namespace CacheEngine.PostgreSql.Store;

/// <summary>
/// One database transaction in two round trips: lock and read the records with their sessions; write what the arbiter made of them, and commit.
/// </summary>
/// <remarks>Dropped without a commit, it leaves nothing behind: the connection rolls back.</remarks>
internal sealed class Transaction : IAsyncDisposable
{
    private readonly Database _database;
    private readonly NpgsqlConnection _connection;

    private Transaction(Database database, NpgsqlConnection connection, Transition world)
    {
        _database = database;
        _connection = connection;
        World = world;
    }

    public Transition World { get; }

    /// <summary>What the speaker was owed before, behind what it has received.</summary>
    public List<AuthorityMessage> OwedBefore { get; } = [];

    /// <param name="database">Where.</param>
    /// <param name="world">Empty; what is read goes there.</param>
    /// <param name="observations">What this process has seen.</param>
    /// <param name="ids">The records.</param>
    /// <param name="speaker">The session whose messages are applied; none: default.</param>
    /// <param name="after">The last message that the speaker has received.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is changed.</param>
    public static async ValueTask<Transaction> BeginAsync(
        Database database, Transition world, Observations observations, long[] ids, SessionId speaker, MessageSeq after, CancellationToken cancellationToken)
    {
        var transaction = new Transaction(database, await database.OpenAsync(cancellationToken), world);
        try
        {
            await transaction.ReadAsync(observations, ids, speaker, after, cancellationToken);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes and commits. If this fails, it may have been committed or not.</summary>
    /// <param name="speaker">The session that took something in; none: null.</param>
    /// <param name="notices">Which channel is to be rung, with which text.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask CommitAsync(SessionRow? speaker, IEnumerable<(string Bell, string Text)> notices, CancellationToken cancellationToken)
    {
        await using NpgsqlBatch batch = _connection.CreateBatch();
        AddRecords(batch);
        AddSessions(batch, speaker);
        foreach ((string bell, string text) in notices)
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.Ring).With(bell).With(text));
        }

        batch.BatchCommands.Add(Commands.Sql("COMMIT"));
        await _database.ExecuteAsync(batch, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async ValueTask ReadAsync(
        Observations observations, long[] ids, SessionId speaker, MessageSeq after, CancellationToken cancellationToken)
    {
        await using NpgsqlBatch batch = _connection.CreateBatch();
        batch.BatchCommands.Add(Commands.Sql("BEGIN"));
        batch.BatchCommands.Add(Commands.Sql(Statements.LockRecords).With(ids));
        batch.BatchCommands.Add(Commands.Sql(Statements.LockSessions).With(ids).With(speaker.Value));
        batch.BatchCommands.Add(Commands.Sql(Statements.Owed).With(speaker.Value).With((long)after.Value));
        batch.BatchCommands.Add(Commands.Sql(Statements.Authority));
        await using NpgsqlDataReader reader = await _database.QueryAsync(batch, cancellationToken);
        var records = new List<(long Id, string Region, byte[] State, byte[]? Value, SourceTerms Source)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            records.Add((
                reader.GetInt64(0),
                reader.GetString(1),
                reader.GetFieldValue<byte[]>(2),
                reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3),
                new SourceTerms(reader.GetBoolean(4), reader.GetBoolean(5), reader.GetInt64(6))));
        }

        await reader.NextResultAsync(cancellationToken);
        await ReadSessionsAsync(reader, observations, cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            OwedBefore.Add(MessageCodec.Decode(speaker, new MessageSeq((ulong)reader.GetInt64(0)), reader.GetFieldValue<byte[]>(1)));
        }

        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        World.UtcOffset = reader.GetInt64(0) - World.Now;
        World.Incarnation = new Incarnation(reader.GetInt64(1));
        foreach ((long id, string region, byte[] bytes, byte[]? value, SourceTerms source) in records)
        {
            RecordState record = RecordCodec.Decode(new InodeId(id), bytes, value, out long endsAtUtc);
            record.ExpiresAt = endsAtUtc == long.MaxValue ? long.MaxValue : endsAtUtc - World.UtcOffset;
            observations.Recall(record, World.Now);
            World.Records.Add(record.Id, new RecordRow(record, region, source, bytes, endsAtUtc));
        }
    }

    private async ValueTask ReadSessionsAsync(NpgsqlDataReader reader, Observations observations, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = new SessionId(reader.GetInt64(0));
            var row = new SessionRow
            {
                Id = id,
                Engine = new EngineId(MemoryMarshal.Read<UInt128>(reader.GetGuid(8).ToByteArray())),
                Region = reader.GetString(1),
                Bell = reader.GetString(2),
                State = reader.GetInt16(3),
                LastRenewedAt = observations.OfSession(id, reader.GetInt64(4), World.Now),
                LastOwed = new MessageSeq((ulong)reader.GetInt64(5)),
                TookIn = new MessageSeq((ulong)reader.GetInt64(6)),
            };
            if (!reader.IsDBNull(7))
            {
                row.Received = ReceivedCodec.Decode(reader.GetFieldValue<byte[]>(7));
            }

            World.Sessions.Add(id, row);
        }
    }

    private void AddRecords(NpgsqlBatch batch)
    {
        foreach (RecordRow row in World.Records.Values)
        {
            RecordState record = row.Record;
            long endsAtUtc =
                record.ExpiresAt == long.MaxValue ? long.MaxValue
                : record.ExpiresAt == row.EndsAt ? row.EndsAtUtc
                : record.ExpiresAt + World.UtcOffset;
            byte[] state = RecordCodec.Encode(record, endsAtUtc);
            if (state.AsSpan().SequenceEqual(row.Stored))
            {
                continue;
            }

            long[] sessions =
            [
                .. record.Holders.Select(static holder => holder.State.Session.Value)
                    .Concat(record.Requests.Select(static request => request.Session.Value))
                    .Distinct(),
            ];
            bool isChanged = record.Version != row.Version;
            NpgsqlBatchCommand command = Commands.Sql(isChanged ? Statements.WriteRecordAndValue : Statements.WriteRecord)
                .With(record.Id.Value).With(sessions).With(state);
            batch.BatchCommands.Add(
                isChanged ? command.WithBytes(record.Payload.Kind == PayloadKind.Bytes ? record.Payload.Bytes.ToArray() : null) : command);
        }

        foreach (TakenBuffer taken in World.Taken)
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.LogTaken)
                .With(taken.Record.Value).With(taken.Session.Value).With(taken.KeptVersion).With(taken.Version).WithBytes(taken.Value));
        }

        if (World.NewlyTouched.Count > 0)
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.Touch)
                .With<long[]>([.. World.NewlyTouched.Select(static touched => touched.Session.Value)])
                .With<long[]>([.. World.NewlyTouched.Select(static touched => touched.Record.Value)]));
        }
    }

    private void AddSessions(NpgsqlBatch batch, SessionRow? speaker)
    {
        if (World.Owed.Count > 0)
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.WriteOwed)
                .With<long[]>([.. World.Owed.Select(static message => message.Session.Value)])
                .With<long[]>([.. World.Owed.Select(static message => (long)message.Sequence.Value)])
                .With<byte[][]>([.. World.Owed.Select(static message => MessageCodec.Encode(message))]));
        }

        SessionRow[] others = [.. World.Sessions.Values.Where(row => row.IsOwedMore && !ReferenceEquals(row, speaker))];
        if (others.Length > 0)
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.WriteSessions)
                .With<long[]>([.. others.Select(static row => row.Id.Value)])
                .With<long[]>([.. others.Select(static row => (long)row.LastOwed.Value)]));
        }

        if (speaker is not null)
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.WriteSpeaker)
                .With(speaker.Id.Value)
                .With((long)speaker.LastOwed.Value)
                .With((long)speaker.TookIn.Value)
                .With(ReceivedCodec.Encode(speaker.Received)));
            batch.BatchCommands.Add(Commands.Sql(Statements.ForgetOwed).With(speaker.Id.Value).With((long)speaker.TookIn.Value));
        }
    }
}
