using System.Collections.Concurrent;
using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Link;

/// <summary>
/// One session over a store that is far away: a loop that carries batches, a loop that carries renewals, and queues to and from the node.
/// </summary>
/// <remarks>
/// A call that fails is repeated unchanged, with the same message numbers, until it is answered or the node gives the session up: the store makes one effect of it.
/// What the node is owed is delivered by the first loop alone, in order; the doorbell only spares it a wait. Bounds: what is posted is bounded by the engine, a batch
/// by <see cref="MaxBatch"/>, the wait between tries by <see cref="MaxBackOff"/>; of renewals only the newest is kept.
/// </remarks>
internal sealed class PostgreSqlSession : ISessionLink
{
    public const int MaxBatch = 32;

    public static readonly TimeSpan MaxBackOff = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(2);

    private readonly IRecordStore _store;
    private readonly TimeSpan _pollInterval;
    private readonly Action _wakeNode;
    private readonly Action<Exception> _onFailure;
    private readonly Action<int> _onRefused;
    private readonly Action<SessionId> _onEnded;
    private readonly ConcurrentQueue<ClientMessage> _posted = new();
    private readonly ConcurrentQueue<AuthorityMessage> _owed = new();
    private readonly ConcurrentQueue<AuthorityMessage> _renewed = new();
    private readonly Signal _work = new();
    private readonly Signal _renewalDue = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _renewalLock = new();
    private ClientMessage? _renewal;
    private MessageSeq _delivered;
    private Task _loops = Task.CompletedTask;
    private volatile bool _hasEnded;

    public PostgreSqlSession(
        IRecordStore store,
        SessionId id,
        TimeSpan pollInterval,
        Action wakeNode,
        Action<Exception> onFailure,
        Action<int> onRefused,
        Action<SessionId> onEnded)
    {
        _store = store;
        Id = id;
        _pollInterval = pollInterval;
        _wakeNode = wakeNode;
        _onFailure = onFailure;
        _onRefused = onRefused;
        _onEnded = onEnded;
    }

    /// <inheritdoc/>
    public SessionId Id { get; }

    /// <inheritdoc/>
    public LeaseTerms Terms => _store.Terms;

    public void Start() => _loops = Task.WhenAll(Task.Run(RunAsync), Task.Run(RenewAsync));

    /// <inheritdoc/>
    public void Post(in ClientMessage message)
    {
        _posted.Enqueue(message);
        _work.Set();
    }

    /// <inheritdoc/>
    public void Renew(in ClientMessage message)
    {
        lock (_renewalLock)
        {
            _renewal = message;
        }

        _renewalDue.Set();
    }

    /// <summary>Something may be owed.</summary>
    public void Ring() => _work.Set();

    /// <inheritdoc/>
    public bool TryReceiveRenewal(out AuthorityMessage message) => _renewed.TryDequeue(out message);

    /// <inheritdoc/>
    public bool TryReceive(out AuthorityMessage message) => _owed.TryDequeue(out message);

    /// <summary>Sends what is posted, if the store answers soon, and cuts the session off.</summary>
    public async Task StopAsync()
    {
        using var patience = new CancellationTokenSource(Goodbye);
        while (!_posted.IsEmpty && !_hasEnded && !patience.IsCancellationRequested)
        {
            await Task.Delay(5);
        }

        await _stopping.CancelAsync();
        _work.Set();
        _renewalDue.Set();
        await _loops;
        if (!_hasEnded)
        {
            try
            {
                await _store.EndAsync(Id, rightsAreOver: false, patience.Token);
            }
            catch (Exception exception)
            {
                _onFailure(exception);
            }

            End();
        }
    }

    private async Task RunAsync()
    {
        var owed = new List<AuthorityMessage>();
        ClientMessage[] batch = [];
        TimeSpan backOff = FirstBackOff;
        while (!_stopping.IsCancellationRequested && !_hasEnded)
        {
            // What was posted or rung before this is answered by this round.
            _work.Reset();
            batch = batch.Length > 0 ? batch : TakeBatch();
            try
            {
                owed.Clear();
                SessionStanding standing = batch.Length > 0
                    ? await _store.ApplyAsync(Id, batch, _delivered, owed, _stopping.Token)
                    : await _store.FetchAsync(Id, _delivered, owed, _stopping.Token);
                batch = [];
                backOff = FirstBackOff;
                Deliver(standing, owed);
            }
            catch (Exception exception)
            {
                _onFailure(exception);
                await Task.Delay(backOff, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                backOff = backOff * 2 < MaxBackOff ? backOff * 2 : MaxBackOff;
                continue;
            }

            if (_posted.IsEmpty && !_hasEnded)
            {
                await _work.WaitAsync(_pollInterval);
            }
        }
    }

    private async Task RenewAsync()
    {
        TimeSpan backOff = FirstBackOff;
        while (!_stopping.IsCancellationRequested && !_hasEnded)
        {
            await _renewalDue.WaitAsync(Timeout.InfiniteTimeSpan);
            ClientMessage? renewal;
            lock (_renewalLock)
            {
                renewal = _renewal;
                _renewal = null;
            }

            if (renewal is not { } message || _stopping.IsCancellationRequested)
            {
                continue;
            }

            try
            {
                SessionStanding standing = await _store.RenewAsync(Id, message, _stopping.Token);
                backOff = FirstBackOff;
                OnRenewed(standing, message);
            }
            catch (Exception exception)
            {
                _onFailure(exception);
                RenewAgain(message);
                await Task.Delay(backOff, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                backOff = backOff * 2 < MaxBackOff ? backOff * 2 : MaxBackOff;
            }
        }
    }

    private ClientMessage[] TakeBatch()
    {
        var batch = new List<ClientMessage>();
        while (batch.Count < MaxBatch && _posted.TryDequeue(out ClientMessage message))
        {
            batch.Add(message);
        }

        return [.. batch];
    }

    private void Deliver(SessionStanding standing, List<AuthorityMessage> owed)
    {
        if (standing.Refused > 0)
        {
            _onRefused(standing.Refused);
        }

        foreach (AuthorityMessage message in owed)
        {
            // Without gaps: what is behind a gap is fetched again with what is missing.
            if (message.Sequence == _delivered.Next())
            {
                _delivered = message.Sequence;
                _owed.Enqueue(message);
            }
        }

        if (!standing.IsOpen)
        {
            End();
        }
        else if (owed.Count > 0)
        {
            _wakeNode();
        }
    }

    private void OnRenewed(SessionStanding standing, in ClientMessage renewal)
    {
        if (!standing.IsOpen)
        {
            // The other loop finds it out in its own place, behind what it has delivered.
            _work.Set();
            return;
        }

        _renewed.Enqueue(new AuthorityMessage
        {
            Kind = AuthorityMessageKind.Renewed,
            Session = Id,
            Renew = renewal.Renew,
            OwedThrough = standing.OwedThrough,
        });
        if (!(_delivered >= standing.OwedThrough))
        {
            // A doorbell was lost, or is on its way.
            _work.Set();
        }

        _wakeNode();
    }

    private void RenewAgain(in ClientMessage message)
    {
        lock (_renewalLock)
        {
            _renewal ??= message;
        }

        _renewalDue.Set();
    }

    /// <summary>The last thing that the node is told.</summary>
    private void End()
    {
        _hasEnded = true;
        _owed.Enqueue(new AuthorityMessage { Kind = AuthorityMessageKind.SessionEnded, Session = Id, Sequence = _delivered.Next() });
        _renewalDue.Set();
        _onEnded(Id);
        _wakeNode();
    }
}
