using System.Collections.Concurrent;
using CacheEngine.Authority;
using CacheEngine.PostgreSql.Store;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Link;

/// <summary>
/// The authority over a PostgreSQL database: no server of its own, every process that uses it runs its part.
/// </summary>
/// <remarks>It knows its store only by the contract, <see cref="IRecordStore"/>: sessions' links, the looks that time demands, and the sweep of silent sessions
/// are the same over any store that is far away.</remarks>
internal sealed class PostgreSqlAuthority : CacheAuthority
{
    private readonly PostgreSqlRecordStore _store;
    private readonly TimeSpan _pollInterval;
    private readonly ConcurrentDictionary<SessionId, PostgreSqlSession> _sessions = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly LookAgainTimers _looks;
    private readonly Task _sweep;
    private long _failures;
    private long _refused;

    private PostgreSqlAuthority(PostgreSqlRecordStore store, PostgreSqlAuthorityOptions options)
    {
        _store = store;
        _pollInterval = options.PollInterval ?? (options.LeaseTerm / 8);
        _looks = new LookAgainTimers(store, store.Clock, OnFailure, _stopping.Token);
        store.Doorbell = id =>
        {
            if (_sessions.TryGetValue(id, out PostgreSqlSession? session))
            {
                session.Ring();
            }
        };
        store.LookAgain = _looks.Add;
        _sweep = SweepAsync();
    }

    /// <inheritdoc/>
    public override TimeProvider TimeProvider => TimeProvider.System;

    /// <inheritdoc/>
    internal override bool CopiesValues => true;

    public PostgreSqlRecordStore Store => _store;

    /// <summary>How often a call to the store failed and was repeated.</summary>
    public long Failures => Volatile.Read(ref _failures);

    /// <summary>The last such failure.</summary>
    public Exception? LastFailure { get; private set; }

    /// <summary>How many messages were refused because they were malformed or about nothing known. Zero in a healthy system.</summary>
    public long RefusedMessages => Volatile.Read(ref _refused);

    public static async Task<PostgreSqlAuthority> ConnectAsync(
        string connectionString, PostgreSqlAuthorityOptions options, CancellationToken cancellationToken = default)
    {
        PostgreSqlRecordStore store = await PostgreSqlRecordStore.ConnectAsync(
            new PostgreSqlStoreOptions { ConnectionString = connectionString, Terms = options.ToTerms(), DoorbellLoss = options.DoorbellLoss }, cancellationToken);
        return new PostgreSqlAuthority(store, options);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_sessions.Values.Select(static session => session.StopAsync()));
        await _stopping.CancelAsync();
        await _sweep;
        await _looks.DisposeAsync();
        await _store.DisposeAsync();
        _stopping.Dispose();
    }

    /// <inheritdoc/>
    internal override async ValueTask<ISessionLink> OpenSessionAsync(SessionOpening opening, Action wake, CancellationToken cancellationToken)
    {
        SessionId id = await _store.OpenAsync(opening, cancellationToken);
        var session = new PostgreSqlSession(_store, id, _pollInterval, wake, OnFailure, OnRefused, ended => _sessions.TryRemove(ended, out _));
        _sessions[id] = session;
        session.Start();
        return session;
    }

    private async Task SweepAsync()
    {
        TimeSpan period = TimeSpan.FromMilliseconds(_store.Terms.TermMilliseconds / 2.0);
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(period, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await _store.SweepAsync(_stopping.Token);
            }
            catch (Exception exception)
            {
                OnFailure(exception);
            }
        }
    }

    private void OnRefused(int messages) => Interlocked.Add(ref _refused, messages);

    private void OnFailure(Exception exception)
    {
        if (!_stopping.IsCancellationRequested)
        {
            Interlocked.Increment(ref _failures);
            LastFailure = exception;
        }
    }
}
