using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;
using Npgsql;

namespace CacheEngine.PostgreSql.Store;

/// <summary>
/// How sessions begin and end. An end is written to the session's row first; then each record that the session has touched hears of it, in a transaction of its
/// own; then the row goes. Whoever finds an end half done finishes it.
/// </summary>
internal sealed class SessionEnds(
    Database database,
    Observations observations,
    EngineClock clock,
    LeaseTerms terms,
    Func<InodeId, RecordEvent, CancellationToken, ValueTask> transit,
    Action<SessionId> forget)
{
    public async ValueTask<SessionId> OpenAsync(SessionOpening opening, string bell, CancellationToken cancellationToken)
    {
        await CheckShapeAsync(opening, cancellationToken);
        List<SessionId> cutOff;
        SessionId opened;
        await using (NpgsqlConnection connection = await database.OpenAsync(cancellationToken))
        await using (NpgsqlBatch batch = connection.CreateBatch())
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.Supersede).With(opening.Identity));
            batch.BatchCommands.Add(Commands.Sql(Statements.NewSession).With(opening.Identity).With(opening.Region).With(opening.Node).With(bell));
            await using NpgsqlDataReader reader = await database.QueryAsync(batch, cancellationToken);
            cutOff = await ReadIdsAsync(reader, cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            opened = new SessionId(reader.GetInt64(0));
        }

        foreach (SessionId id in cutOff)
        {
            await SpreadAsync(id, SessionRowState.CutOff, cancellationToken);
        }

        return opened;
    }

    /// <summary>By its own word an engine uses nothing any more of what it had under earlier sessions: closed if nothing that it had buffered is missing, else over.</summary>
    public async ValueTask EndEarlierAsync(Guid identity, SessionId session, short state, CancellationToken cancellationToken)
    {
        List<SessionId> closed;
        await using (NpgsqlConnection connection = await database.OpenAsync(cancellationToken))
        await using (NpgsqlBatch batch = connection.CreateBatch())
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.EndEarlier).With(identity).With(session.Value).With(state));
            await using NpgsqlDataReader reader = await database.QueryAsync(batch, cancellationToken);
            closed = await ReadIdsAsync(reader, cancellationToken);
        }

        foreach (SessionId id in closed)
        {
            await SpreadAsync(id, state, cancellationToken);
        }
    }

    /// <param name="session">The session.</param>
    /// <param name="state">How it ends: a <see cref="SessionRowState"/>.</param>
    /// <param name="onlyIfRenewals">Only if its count of renewals is still this; negative: in any case.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask EndAsync(SessionId session, short state, long onlyIfRenewals, CancellationToken cancellationToken)
    {
        int ended;
        await using (NpgsqlConnection connection = await database.OpenAsync(cancellationToken))
        await using (NpgsqlBatch batch = connection.CreateBatch())
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.End).With(session.Value).With(state).With(onlyIfRenewals));
            ended = await database.ExecuteAsync(batch, cancellationToken);
        }

        if (ended > 0)
        {
            await SpreadAsync(session, state, cancellationToken);
        }
    }

    public async ValueTask SweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach ((SessionId id, short state, long renewals) in await ListAsync(cancellationToken))
            {
                long silentFor = clock.Now - observations.OfSession(id, renewals, clock.Now);
                bool isOver = state switch
                {
                    SessionRowState.Open => silentFor >= terms.SessionTimeoutMilliseconds,
                    SessionRowState.CutOff => silentFor >= terms.SilentFrom(0),
                    _ => false,
                };
                if (isOver)
                {
                    await EndAsync(id, SessionRowState.Over, renewals, cancellationToken);
                }
                else if (state >= SessionRowState.Over)
                {
                    await SpreadAsync(id, state, cancellationToken);
                }
            }

            observations.ForgetBefore(clock.Now - (2 * terms.SessionTimeoutMilliseconds));
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            // While the store was away nobody could be heard: silence counts anew.
            observations.Clear();
            throw;
        }
    }

    private static async ValueTask<List<SessionId>> ReadIdsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var ids = new List<SessionId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(new SessionId(reader.GetInt64(0)));
        }

        return ids;
    }

    private async ValueTask CheckShapeAsync(SessionOpening opening, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await database.OpenAsync(cancellationToken);
        await using NpgsqlBatch batch = connection.CreateBatch();
        SourceTermsCommand(batch, opening);
        batch.BatchCommands.Add(Commands.Sql(Statements.Shape).With(opening.Region));
        await using NpgsqlDataReader reader = await database.QueryAsync(batch, cancellationToken);
        await reader.ReadAsync(cancellationToken);
        string shape = reader.GetString(0);
        if (!string.Equals(shape, opening.Shape, StringComparison.Ordinal))
        {
            throw new SessionRejectedException(
                $"Region '{opening.Region}' holds {shape}; it cannot be opened as {opening.Shape}. All caches of a region must agree.");
        }
    }

    private static void SourceTermsCommand(NpgsqlBatch batch, SessionOpening opening) =>
        batch.BatchCommands.Add(Commands.Sql(Statements.NewRegion)
            .With(opening.Region)
            .With(opening.Shape)
            .With(opening.Source.IsAtSource)
            .With(opening.Source.RaisesFence)
            .With(opening.Source.MaxWriteMilliseconds));

    private async ValueTask<List<(SessionId Id, short State, long Renewals)>> ListAsync(CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await database.OpenAsync(cancellationToken);
        await using NpgsqlBatch batch = connection.CreateBatch();
        batch.BatchCommands.Add(Commands.Sql(Statements.Sessions));
        await using NpgsqlDataReader reader = await database.QueryAsync(batch, cancellationToken);
        var sessions = new List<(SessionId, short, long)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            sessions.Add((new SessionId(reader.GetInt64(0)), reader.GetInt16(1), reader.GetInt64(2)));
        }

        return sessions;
    }

    /// <summary>Tells the records that a session has touched. Every step may be done twice.</summary>
    private async ValueTask SpreadAsync(SessionId session, short state, CancellationToken cancellationToken)
    {
        var touched = new List<InodeId>();
        await using (NpgsqlConnection connection = await database.OpenAsync(cancellationToken))
        await using (NpgsqlBatch batch = connection.CreateBatch())
        {
            batch.BatchCommands.Add(Commands.Sql(Statements.Touched).With(session.Value));
            await using NpgsqlDataReader reader = await database.QueryAsync(batch, cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                touched.Add(new InodeId(reader.GetInt64(0)));
            }
        }

        var what = new RecordEvent(
            state switch
            {
                SessionRowState.CutOff => RecordEventKind.SessionCut,
                SessionRowState.Closed => RecordEventKind.SessionClosed,
                _ => RecordEventKind.SessionGone,
            },
            session);
        foreach (InodeId id in touched)
        {
            await transit(id, what, cancellationToken);
        }

        if (state >= SessionRowState.Over)
        {
            await database.ScalarAsync(Commands.Sql(Statements.Forget).With(session.Value), cancellationToken);
            forget(session);
        }
    }
}
