using System.Collections.Concurrent;
using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;
using Npgsql;

namespace CacheEngine.PostgreSql.Store;

/// <summary>
/// Records in a PostgreSQL database, shared by any number of processes.
/// </summary>
/// <remarks>
/// The database makes a transition atomic (row locks), keeps what sessions are owed, and rings (NOTIFY, once per process). Every decision is made in the process
/// that has the event, by the same <see cref="RecordArbiter"/> as in memory. Time is each process's own: see <see cref="Observations"/>. The server must run
/// with <c>synchronous_commit</c> on; what it forgets all the same (a restored backup, an asynchronous replica) is announced by <c>cacheengine.forgotten()</c>.
/// </remarks>
internal sealed class PostgreSqlRecordStore : IRecordStore
{
    /// <summary>In milliseconds. Half a term: a process that stands still with rows locked holds up the renewals of others, and must not cost them their leases.</summary>
    private const long MinPatience = 500;

    private readonly PostgreSqlStoreOptions _options;
    private readonly EngineClock _clock;
    private readonly Database _database;
    private readonly KeyBindings _bindings;
    private readonly SessionEnds _ends;
    private readonly Observations _observations = new();
    private readonly ConcurrentDictionary<SessionId, SessionOpening> _local = new();
    private readonly DoorbellListener _listener;
    private long _incarnation;
    private ulong _capBase;
    private long _lastCap;
    private long _buffersTaken;

    private PostgreSqlRecordStore(PostgreSqlStoreOptions options)
    {
        _options = options;
        _clock = new EngineClock(options.TimeProvider);
        _database = new Database(
            options.ConnectionString, options.Patience ?? TimeSpan.FromMilliseconds(Math.Max(MinPatience, options.Terms.TermMilliseconds / 2)));
        _bindings = new KeyBindings(_database);
        _ends = new SessionEnds(_database, _observations, _clock, options.Terms, TransitAsync, Forget);
        _listener = new DoorbellListener(_database, Ring, RingAll);
    }

    /// <inheritdoc/>
    public Incarnation Incarnation => new(Volatile.Read(ref _incarnation));

    /// <inheritdoc/>
    public LeaseTerms Terms => _options.Terms;

    /// <inheritdoc/>
    public Action<SessionId>? Doorbell { get; set; }

    /// <inheritdoc/>
    public Action<InodeId, long>? LookAgain { get; set; }

    public Database Database => _database;

    public EngineClock Clock => _clock;

    /// <summary>How many buffers this process has taken from sessions without their word. Of each the table <c>taken</c> has a row.</summary>
    public long BuffersTaken => Volatile.Read(ref _buffersTaken);

    /// <summary>Makes the tables if there are none, and starts to listen for the doorbell.</summary>
    public static async Task<PostgreSqlRecordStore> ConnectAsync(PostgreSqlStoreOptions options, CancellationToken cancellationToken = default)
    {
        var store = new PostgreSqlRecordStore(options);
        try
        {
            await store.StartAsync(cancellationToken);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<SessionId> OpenAsync(SessionOpening opening, CancellationToken cancellationToken)
    {
        SessionId id = await _ends.OpenAsync(opening, _listener.Channel, cancellationToken);
        _local[id] = opening;
        return id;
    }

    /// <inheritdoc/>
    public async ValueTask<SessionStanding> ApplyAsync(
        SessionId session, ReadOnlyMemory<ClientMessage> messages, MessageSeq after, List<AuthorityMessage> owed, CancellationToken cancellationToken)
    {
        if (!_local.TryGetValue(session, out SessionOpening? opening))
        {
            return SessionStanding.Over;
        }

        InodeId[] ids = await BindAsync(session, opening.Region, messages, cancellationToken);
        long[] distinct = [.. ids.Where(static id => id.IsKnown).Select(static id => id.Value).Distinct()];
        await using Transaction transaction =
            await Transaction.BeginAsync(_database, NewTransition(), _observations, distinct, session, after, cancellationToken);
        Transition world = transaction.World;
        if (!world.Sessions.TryGetValue(session, out SessionRow? speaker) || speaker.State != SessionRowState.Open)
        {
            Forget(session);
            return SessionStanding.Over;
        }

        Taken taken = TakeIn(world, speaker, messages.Span, ids);
        await transaction.CommitAsync(speaker, Notices(world, session), cancellationToken);
        owed.AddRange(transaction.OwedBefore);
        owed.AddRange(world.Owed.Where(message => message.Session == session));
        AfterCommit(world, session);

        // After the commit, since older sessions are locked before newer ones: if this fails the batch is repeated, and these messages are heeded again.
        if (taken.EarlierState != SessionRowState.Open)
        {
            await _ends.EndEarlierAsync(opening.Identity, session, taken.EarlierState, cancellationToken);
        }

        if (taken.State != SessionRowState.Open)
        {
            await _ends.EndAsync(session, taken.State, onlyIfRenewals: -1, cancellationToken);
        }

        return new SessionStanding(taken.State == SessionRowState.Open, speaker.LastOwed, taken.Refused);
    }

    /// <inheritdoc/>
    public async ValueTask<SessionStanding> FetchAsync(
        SessionId session, MessageSeq after, List<AuthorityMessage> owed, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await _database.OpenAsync(cancellationToken);
        await using NpgsqlBatch batch = connection.CreateBatch();
        batch.BatchCommands.Add(Commands.Sql(Statements.Standing).With(session.Value));
        batch.BatchCommands.Add(Commands.Sql(Statements.Owed).With(session.Value).With((long)after.Value));
        await using NpgsqlDataReader reader = await _database.QueryAsync(batch, cancellationToken);
        if (!await reader.ReadAsync(cancellationToken) || reader.GetInt16(0) != SessionRowState.Open)
        {
            Forget(session);
            return SessionStanding.Over;
        }

        var standing = new SessionStanding(true, new MessageSeq((ulong)reader.GetInt64(1)));
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            owed.Add(Codec.MessageCodec.Decode(session, new MessageSeq((ulong)reader.GetInt64(0)), reader.GetFieldValue<byte[]>(1)));
        }

        return standing;
    }

    /// <inheritdoc/>
    public async ValueTask<SessionStanding> RenewAsync(SessionId session, ClientMessage renewal, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await _database.OpenForRenewalAsync(cancellationToken);
        await using NpgsqlBatch batch = connection.CreateBatch();
        batch.BatchCommands.Add(Commands.Sql(Statements.Renew).With(session.Value).With((long)renewal.TookIn.Value));
        batch.BatchCommands.Add(Commands.Sql(Statements.ForgetOwed).With(session.Value).With((long)renewal.TookIn.Value));
        await using NpgsqlDataReader reader = await _database.QueryAsync(batch, cancellationToken);
        bool isOpen = await reader.ReadAsync(cancellationToken);
        return isOpen ? new SessionStanding(true, new MessageSeq((ulong)reader.GetInt64(0))) : SessionStanding.Over;
    }

    /// <inheritdoc/>
    public async ValueTask LookAsync(InodeId id, CancellationToken cancellationToken) =>
        await TransitAsync(id, new RecordEvent(RecordEventKind.TimePassed, default), cancellationToken);

    /// <inheritdoc/>
    public ValueTask EndAsync(SessionId session, bool rightsAreOver, CancellationToken cancellationToken) =>
        _ends.EndAsync(session, rightsAreOver ? SessionRowState.Over : SessionRowState.CutOff, onlyIfRenewals: -1, cancellationToken);

    /// <inheritdoc/>
    public ValueTask SweepAsync(CancellationToken cancellationToken) => _ends.SweepAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        await using (NpgsqlConnection connection = await _database.OpenAsync(cancellationToken))
        await using (NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            // It holds no row that others renew under: a process that stands still here, as when its code is compiled, may take its time.
            await using (var patience = new NpgsqlCommand("SET LOCAL idle_in_transaction_session_timeout = 0", connection))
            {
                await patience.ExecuteNonQueryAsync(cancellationToken);
            }

            await using (var locks = new NpgsqlCommand(Schema.Lock, connection))
            {
                await locks.ExecuteNonQueryAsync(cancellationToken);
            }

            await using (var create = new NpgsqlCommand(Schema.Create, connection))
            {
                await create.ExecuteNonQueryAsync(cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }

        Volatile.Write(
            ref _incarnation, (long)(await _database.ScalarAsync(Commands.Sql("SELECT incarnation FROM cacheengine.authority"), cancellationToken))!);
        _capBase = (ulong)(long)(await _database.ScalarAsync(Commands.Sql("SELECT nextval('cacheengine.process')"), cancellationToken))! << 32;
        await _listener.StartAsync(cancellationToken);
    }

    private Transition NewTransition() => new(_clock, Terms, _options.Quota, NewCapId);

    /// <summary>Grants are numbered by process and counter, so that no two processes need to ask each other.</summary>
    private CapId NewCapId() => new(_capBase + (ulong)checked((uint)Interlocked.Increment(ref _lastCap)));

    private async ValueTask<InodeId[]> BindAsync(
        SessionId session, string region, ReadOnlyMemory<ClientMessage> messages, CancellationToken cancellationToken)
    {
        var ids = new InodeId[messages.Length];
        var keys = new List<ReadOnlyMemory<byte>>();
        var places = new List<int>();
        for (int i = 0; i < ids.Length; i++)
        {
            ClientMessage message = messages.Span[i];
            ids[i] = message.Inode;
            if (!message.Inode.IsKnown && !message.Key.IsEmpty && MessageRules.Judge(message, session) == MessageFault.None)
            {
                keys.Add(message.Key);
                places.Add(i);
            }
        }

        InodeId[] bound = keys.Count == 0 ? [] : await _bindings.BindAsync(region, [.. keys], cancellationToken);
        for (int i = 0; i < bound.Length; i++)
        {
            ids[places[i]] = bound[i];
        }

        return ids;
    }

    /// <summary>What became of a batch.</summary>
    /// <param name="Refused">How many of its messages were refused.</param>
    /// <param name="EarlierState">How the sessions before this one end by its own word; <see cref="SessionRowState.Open"/>: nothing was said of them.</param>
    /// <param name="State">How the session is to stand.</param>
    private readonly record struct Taken(int Refused, short EarlierState, short State);

    private static Taken TakeIn(Transition world, SessionRow speaker, ReadOnlySpan<ClientMessage> messages, InodeId[] ids)
    {
        int refused = 0;
        short earlierState = SessionRowState.Open;
        for (int i = 0; i < messages.Length; i++)
        {
            ref readonly ClientMessage message = ref messages[i];
            if (MessageRules.Judge(message, speaker.Id) != MessageFault.None || message.Kind == ClientMessageKind.Renew)
            {
                refused++;
                continue;
            }

            if (message.Kind == ClientMessageKind.Close)
            {
                return new Taken(refused, earlierState, message.IsClean ? SessionRowState.Closed : SessionRowState.Over);
            }

            Reception reception = speaker.Received.Take(message.Sequence, MessageRules.Fingerprint(message));
            if (message.Kind == ClientMessageKind.ClaimsDone && reception is (Reception.Next or Reception.Repeated))
            {
                earlierState = message.IsClean ? SessionRowState.Closed : SessionRowState.Over;
            }

            if (reception != Reception.Next)
            {
                refused += reception == Reception.Repeated ? 0 : 1;
                continue;
            }

            speaker.TookIn = message.TookIn >= speaker.TookIn && message.TookIn <= speaker.LastOwed ? message.TookIn : speaker.TookIn;
            bool isAboutObject = message.Kind is not (ClientMessageKind.ClaimsDone or ClientMessageKind.Commit);
            refused += !isAboutObject || world.TryApply(ids[i], new RecordEvent(RecordEventKind.Message, speaker.Id, message)) ? 0 : 1;
        }

        return new Taken(refused, earlierState, SessionRowState.Open);
    }

    /// <summary>One event at one record, not by a message.</summary>
    private async ValueTask TransitAsync(InodeId id, RecordEvent what, CancellationToken cancellationToken)
    {
        await using Transaction transaction =
            await Transaction.BeginAsync(_database, NewTransition(), _observations, [id.Value], default, default, cancellationToken);
        if (transaction.World.TryApply(id, what))
        {
            await transaction.CommitAsync(speaker: null, Notices(transaction.World, default), cancellationToken);
            AfterCommit(transaction.World, default);
        }
    }

    /// <summary>Which processes are to be rung: those with sessions that are owed more, but not this one.</summary>
    private IEnumerable<(string Bell, string Text)> Notices(Transition world, SessionId speaker) =>
        from row in world.Sessions.Values
        where row.IsOwedMore && row.Id != speaker && row.Bell != _listener.Channel
        group row.Id.Value by row.Bell into bell
        select (bell.Key, string.Join(',', bell));

    private void AfterCommit(Transition world, SessionId speaker)
    {
        Volatile.Write(ref _incarnation, world.Incarnation.Ordinal);
        Interlocked.Add(ref _buffersTaken, world.Taken.Count);
        foreach ((InodeId id, RecordRow row) in world.Records)
        {
            _observations.Note(row.Record);
            if (row.Record.Requests.Exists(request => _local.ContainsKey(request.Session)))
            {
                // Whoever waits looks again by itself, also if it was another process that found out what is waited for.
                long at = world.LooksAgain.GetValueOrDefault(id, long.MaxValue);
                LookAgain?.Invoke(id, Math.Min(at, _clock.Now + Terms.TermMilliseconds));
            }
        }

        foreach (SessionRow row in world.Sessions.Values)
        {
            if (row.IsOwedMore && row.Id != speaker && _local.ContainsKey(row.Id))
            {
                Ring(row.Id);
            }
        }
    }

    private void Forget(SessionId session)
    {
        _local.TryRemove(session, out _);
        _observations.Forget(session);
    }

    private void Ring(SessionId session)
    {
        if (_options.DoorbellLoss == 0 || Random.Shared.NextDouble() >= _options.DoorbellLoss)
        {
            Doorbell?.Invoke(session);
        }
    }

    private void RingAll()
    {
        foreach (SessionId session in _local.Keys)
        {
            Doorbell?.Invoke(session);
        }
    }
}
