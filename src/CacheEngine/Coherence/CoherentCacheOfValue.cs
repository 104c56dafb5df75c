using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Coherence;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>
/// A cache in this process's memory whose hits are never stale: an entry is served only under a right that the authority has granted and that dies by
/// itself, and a conflicting write is acknowledged only after the rights are gone. Thread-safe.
/// </summary>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values. Values are shared between callers: treat them as immutable.</typeparam>
public sealed class CoherentCache<TKey, TValue> : IAsyncDisposable, IDisposable
    where TKey : notnull
{
    private readonly InodeTable<TKey, TValue> _table;
    private readonly KeyIdentity<TKey> _identity;
    private readonly Session _session;
    private readonly EngineClock _clock;
    private readonly Engine _engine;
    private readonly ValueCodec<TValue> _values;
    private readonly ValuePlacement _placement;
    private readonly long _expirationMilliseconds;

    internal CoherentCache(
        Engine engine,
        InodeTable<TKey, TValue> table,
        KeyIdentity<TKey> identity,
        ValueCodec<TValue> values,
        ValuePlacement placement,
        TimeSpan? expiration)
    {
        _engine = engine;
        _table = table;
        _identity = identity;
        _values = values;
        _placement = placement;
        _session = engine.Session;
        _clock = engine.Clock;
        _expirationMilliseconds = expiration is { } span ? (long)Math.Ceiling(span.TotalMilliseconds) : -1;
    }

    /// <summary>How many keys this cache knows of, served or not.</summary>
    public int Count => _table.Count;

    /// <summary>How many revokes this node has taken in since it was opened.</summary>
    public long Revokes => _engine.Revokes;

    /// <summary>How many times this node has asked the authority for a value since it was opened.</summary>
    public long Questions => _engine.Questions;

    internal Engine Engine => _engine;

    /// <summary>Looks a key up in memory: never stale, never blocks, allocates nothing, sends nothing.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value, if there is one that may be served now.</param>
    /// <returns>False when there is none; that says nothing about whether one exists elsewhere.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        ThrowIfNull(key);

        // The bucket is read before the clock, so that what it costs to fetch it passes while the clock is asked.
        ulong hash = _identity.Hash(key);
        Inode<TKey, TValue>? first = _table.First(hash);
        long now = _clock.Now;
        return _identity.IsHashExact ? TryServe(first, hash, now, out value) : TryServe(first, key, hash, now, out value);
    }

    /// <summary>Looks a key up in memory, with the authority's version of the value.</summary>
    /// <inheritdoc cref="TryGet(TKey, out TValue)"/>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value, out long version)
    {
        ThrowIfNull(key);
        long now = _clock.Now;
        if (_table.Find(key, _identity.Hash(key)) is { } node)
        {
            uint at = node.BeginRead();
            if ((at & 1) == 0 && node.Covers(Rights.Serve, _session, now))
            {
                value = node.ReadValue();
                version = node.ReadValueVersion();
                if (node.EndRead(at))
                {
                    return true;
                }
            }
        }

        value = default;
        version = 0;
        return Missed();
    }

    /// <summary>Looks a key up, asking the authority if nothing may be served from memory. Never loads.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is changed.</param>
    /// <returns>The value, or the knowledge that there is none; with <see cref="ValuePlacement.Source"/> unknown instead of absent.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask<Lookup<TValue>> GetAsync(TKey key, CancellationToken cancellationToken = default)
    {
        if (TryGet(key, out TValue? value, out long version))
        {
            return new ValueTask<Lookup<TValue>>(new Lookup<TValue>(LookupStatus.Hit, value, version));
        }

        if (_placement == ValuePlacement.Source)
        {
            return new ValueTask<Lookup<TValue>>(default(Lookup<TValue>));
        }

        return ReadAsync(Resolve(key), cancellationToken);
    }

    /// <summary>Looks several keys up. The rights they may need are reserved before anything is asked: all or nothing.</summary>
    /// <param name="keys">The keys, in any order, repeated or not.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is changed.</param>
    /// <returns>What is known of each key, in the order of <paramref name="keys"/>. Each answer is coherent; together they are no snapshot.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="keys"/> or one of them is null.</exception>
    /// <exception cref="InvalidOperationException">The limit of entries would be passed, and nothing was asked; or the limit of operations was reached, and
    /// what was asked before goes on without its caller.</exception>
    /// <inheritdoc cref="GetAsync" path="/exception[@cref='AuthorityUnavailableException']"/>
    public async ValueTask<Lookup<TValue>[]> GetManyAsync(IReadOnlyList<TKey> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (TKey key in keys)
        {
            ArgumentNullException.ThrowIfNull(key, nameof(keys));
        }

        var found = new Lookup<TValue>[keys.Count];
        var waits = new (Inode<TKey, TValue>? Inode, Task<OperationResult>? Wait)[keys.Count];
        for (int i = 0; i < found.Length; i++)
        {
            if (TryGet(keys[i], out TValue? value, out long version))
            {
                found[i] = new Lookup<TValue>(LookupStatus.Hit, value, version);
            }
            else if (_placement == ValuePlacement.Authority)
            {
                waits[i].Inode = Resolve(keys[i]);
            }
        }

        if (Array.Exists(waits, wait => wait.Inode is not null))
        {
            StartReads(waits, cancellationToken);
            await FinishReadsAsync(waits, found, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        }

        return found;
    }

    /// <summary>Looks a key up, loading its value if there is none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="state">What the factory needs; passed on, so that the factory can be static.</param>
    /// <param name="factory">Makes the value. Callers of this node that ask meanwhile share its outcome, its failure too; it is cancelled when all of
    /// them have given up. With <see cref="ValuePlacement.Authority"/> one node of the cluster runs it, and a failure lets the next one try. If
    /// a write overtakes it, its value goes to its callers and is not stored.</param>
    /// <param name="cancellationToken">Ends this caller's wait.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask<TValue> GetOrCreateAsync<TState>(
        TKey key, TState state, Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return TryGet(key, out TValue? value) ? new ValueTask<TValue>(value) : LoadAsync(key, state, factory, cancellationToken);
    }

    /// <inheritdoc cref="GetOrCreateAsync{TState}"/>
    public ValueTask<TValue> GetOrCreateAsync(
        TKey key, Func<TKey, CancellationToken, ValueTask<TValue>> factory, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return GetOrCreateAsync(key, factory, static (key, load, token) => load(key, token), cancellationToken);
    }

    /// <summary>Writes a value through. Completes when the authority has it and no node, this one included, can serve an older one.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value; must not be changed afterwards.</param>
    /// <param name="cancellationToken">Ends the wait. A write that was sent goes on: after that its outcome is unknown.</param>
    /// <returns>The authority's version of the value.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Values live at the source: change it there, then call <see cref="RemoveAsync"/>.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time; the outcome is unknown.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask<long> SetAsync(TKey key, TValue value, CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        if (_placement == ValuePlacement.Source)
        {
            throw new InvalidOperationException("Values live at the source: change the value there, then call RemoveAsync.");
        }

        cancellationToken.ThrowIfCancellationRequested();
        Payload payload = _values.Encode(value);
        object? local = payload.Kind == PayloadKind.Reference ? payload.Reference : value;
        return WriteAsync(key, OperationKind.Write, payload, local, cancellationToken);
    }

    /// <summary>Removes a value, or tells the cluster that the source has changed. Completes when no node can serve an older one.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the wait. A removal that was sent goes on: after that its outcome is unknown.</param>
    /// <returns>The authority's version of the absence.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time; the outcome is unknown.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask<long> RemoveAsync(TKey key, CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        cancellationToken.ThrowIfCancellationRequested();
        return WriteAsync(key, OperationKind.Remove, default, null, cancellationToken);
    }

    /// <summary>Ends the session: this node's rights go back at once, its waiting callers fail, and nothing is served any more.</summary>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    /// <summary>The same as <see cref="DisposeAsync"/>: ending a session waits for nothing.</summary>
    public void Dispose()
    {
        // Runs to its end on this thread, apart from a timer callback that may still be running.
        _ = DisposeAsync().AsTask();
    }

    internal bool TryGetText(ReadOnlySpan<char> key, out TValue value)
    {
        if (_identity.IsOrdinalText)
        {
            long now = _clock.Now;
            ulong hash = KeyHash.OfText(key, _identity.Seed);

            // Edge TABLE-9 (acquire; other end: TABLE-3): as TABLE-5.
            for (Inode<TKey, TValue>? node = _table.First(hash); node is not null; node = Volatile.Read(ref node.Next))
            {
                uint version = node.BeginRead();
                if (node.Cookie == hash
                    && key.SequenceEqual((string)(object)node.Key)
                    && (version & 1) == 0
                    && node.Covers(Rights.Serve, _session, now))
                {
                    value = node.ReadValue();
                    if (node.EndRead(version))
                    {
                        return true;
                    }
                }
            }

            value = default!;
            return Missed();
        }

        return TryGet((TKey)(object)key.ToString(), out value!);
    }

    /// <summary>The inode of a key, made if there is none; for tests and benches of the rooms below.</summary>
    internal Inode<TKey, TValue> Resolve(TKey key) => _table.GetOrAdd(key, _identity.Hash(key));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ThrowIfNull(TKey key)
    {
        if (key is null)
        {
            ThrowNull();
        }

        [DoesNotReturn]
        static void ThrowNull() => throw new ArgumentNullException(nameof(key));
    }

    private static OperationResult Check(in OperationResult result, CancellationToken cancellationToken) => result.Status switch
    {
        OperationStatus.Canceled => throw new OperationCanceledException(cancellationToken),
        OperationStatus.Disposed => throw new ObjectDisposedException(nameof(CoherentCache)),
        OperationStatus.Unavailable => throw new AuthorityUnavailableException("The authority did not answer in time, or the session ended first."),
        _ => result,
    };

    /// <summary>A hit on a key whose hash no other key has. It calls nothing, so the JIT keeps everything in registers.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryServe(Inode<TKey, TValue>? node, ulong hash, long now, [MaybeNullWhen(false)] out TValue value)
    {
        while (node is not null && node.Cookie != hash)
        {
            // Edge TABLE-8 (acquire; other end: TABLE-3): as TABLE-5.
            node = Volatile.Read(ref node.Next);
        }

        if (node is not null)
        {
            uint version = node.BeginRead();
            if ((version & 1) == 0 && node.Cookie == hash && node.Covers(Rights.Serve, _session, now))
            {
                TValue found = node.ReadValue();
                if (node.EndRead(version))
                {
                    value = found;
                    return true;
                }
            }
        }

        value = default;
        return Missed();
    }

    /// <summary>A hit on any other key: the hash first, then the key itself.</summary>
    private bool TryServe(Inode<TKey, TValue>? node, TKey key, ulong hash, long now, [MaybeNullWhen(false)] out TValue value)
    {
        // Edge TABLE-7 (acquire; other end: TABLE-3): as TABLE-5.
        for (; node is not null; node = Volatile.Read(ref node.Next))
        {
            uint version = node.BeginRead();
            if (node.Cookie != hash || !_identity.Same(node.Key, key))
            {
                continue;
            }

            if ((version & 1) == 0 && node.Covers(Rights.Serve, _session, now))
            {
                TValue found = node.ReadValue();
                if (node.EndRead(version))
                {
                    value = found;
                    return true;
                }
            }

            break;
        }

        value = default;
        return Missed();
    }

    private bool Missed()
    {
        if (_engine.IsDisposed)
        {
            throw new ObjectDisposedException(nameof(CoherentCache));
        }

        return false;
    }

    private long ExpiryFromNow() => _expirationMilliseconds < 0 ? long.MaxValue : _clock.Now + _expirationMilliseconds;

    private TValue TakePresent(Inode inode, in OperationResult result)
    {
        TValue value = _values.Decode(result.Payload);
        if (result.Payload.Kind == PayloadKind.Bytes)
        {
            _engine.TryPublish(inode, value, result.Version, result.Epoch, long.MaxValue);
        }

        return value;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Lookup<TValue>> ReadAsync(Inode<TKey, TValue> inode, CancellationToken cancellationToken)
    {
        OperationResult result = await _engine.ReadAsync(inode, OperationKind.Read, null, _identity, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        return ToLookup(inode, Check(result, cancellationToken));
    }

    private Lookup<TValue> ToLookup(Inode inode, in OperationResult result)
    {
        return result.Status == OperationStatus.Present
            ? new Lookup<TValue>(LookupStatus.Hit, TakePresent(inode, result), result.Version)
            : new Lookup<TValue>(LookupStatus.Absent, default, result.Version);
    }

    private void StartReads(
        (Inode<TKey, TValue>? Inode, Task<OperationResult>? Wait)[] waits, CancellationToken cancellationToken)
    {
        var withoutCap = new HashSet<Inode>();
        foreach ((Inode<TKey, TValue>? inode, _) in waits)
        {
            if (inode is { HasCap: false })
            {
                withoutCap.Add(inode);
            }
        }

        CapReservation caps = _engine.Pool.Reserve(withoutCap.Count);
        try
        {
            for (int i = 0; i < waits.Length; i++)
            {
                if (waits[i].Inode is { } inode)
                {
                    waits[i].Wait = _engine.ReadAsync(inode, OperationKind.Read, null, _identity, ref caps, cancellationToken).AsTask();
                }
            }
        }
        finally
        {
            caps.Dispose();
        }
    }

    private async ValueTask FinishReadsAsync(
        (Inode<TKey, TValue>? Inode, Task<OperationResult>? Wait)[] waits, Lookup<TValue>[] found, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        for (int i = 0; i < waits.Length; i++)
        {
            if (waits[i] is not ({ } inode, { } wait))
            {
                continue;
            }

            try
            {
                OperationResult result = await wait.ConfigureAwait(EngineAwait.Captured);
                found[i] = ToLookup(inode, Check(result, cancellationToken));
            }
            catch (Exception exception)
            {
                failure ??= exception;
            }
        }

        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<long> WriteAsync(TKey key, OperationKind kind, Payload payload, object? local, CancellationToken cancellationToken)
    {
        Inode<TKey, TValue> inode = Resolve(key);
        OperationResult result = await _engine.WriteAsync(inode, kind, _identity, payload, local, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        if (result.Status == OperationStatus.Unavailable)
        {
            throw new AuthorityUnavailableException(
                "The authority did not answer in time, or the session ended first: the write may or may not take effect.")
            { IsOutcomeUnknown = true };
        }

        return Check(result, cancellationToken).Version;
    }

    private async ValueTask<TValue> LoadAsync<TState>(
        TKey key, TState state, Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Inode<TKey, TValue> inode = Resolve(key);
        var fresh = new LoadFlight<TValue>();
        var flight = (LoadFlight<TValue>)_engine.JoinOrStart(inode, fresh);
        if (ReferenceEquals(flight, fresh))
        {
            _ = FlyAsync(inode, flight, state, factory);
        }

        try
        {
            return await flight.Outcome.WaitAsync(cancellationToken).ConfigureAwait(EngineAwait.Captured);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && !flight.Outcome.IsCompleted)
        {
            if (flight.Leave())
            {
                try
                {
                    flight.Cancel();
                }
                catch (AggregateException)
                {
                    // What a factory's own cancellation callbacks throw is not this caller's answer.
                }
            }

            throw;
        }
    }

    /// <summary>The one load of a flight, from the question to the stored value. Never throws: its outcome is the flight's.</summary>
    private async Task FlyAsync<TState>(
        Inode<TKey, TValue> inode, LoadFlight<TValue> flight, TState state, Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory)
    {
        try
        {
            OperationKind kind = _placement == ValuePlacement.Authority ? OperationKind.Load : OperationKind.Read;
            OperationResult answer = await _engine.ReadAsync(inode, kind, flight, _identity, flight.Token).ConfigureAwait(EngineAwait.Captured);
            OperationResult result = Check(answer, flight.Token);
            TValue value =
                result.Status == OperationStatus.Present ? TakePresent(inode, result)
                : _placement == ValuePlacement.Authority ? await MakeAndStoreAsync(inode, flight, state, factory, result.Epoch).ConfigureAwait(EngineAwait.Captured)
                : await MakeAndPublishAsync(inode, flight, state, factory, result).ConfigureAwait(EngineAwait.Captured);
            _engine.EndFlight(inode, flight);
            flight.Succeed(value);
        }
        catch (Exception exception)
        {
            _engine.EndFlight(inode, flight);
            flight.Fail(exception);
        }
    }

    private async ValueTask<TValue> MakeAndStoreAsync<TState>(
        Inode<TKey, TValue> inode,
        LoadFlight<TValue> flight,
        TState state,
        Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory,
        uint epoch)
    {
        TValue value;
        Payload payload;
        try
        {
            flight.Token.ThrowIfCancellationRequested();
            value = await factory(inode.Key, state, flight.Token).ConfigureAwait(EngineAwait.Captured);
            payload = _values.Encode(value);
        }
        catch
        {
            _engine.Abandon(inode, epoch);
            throw;
        }

        // Stored or overtaken, the value is this flight's: it was made after its callers had asked.
        object? local = payload.Kind == PayloadKind.Reference ? payload.Reference : value;
        _ = await _engine.FillAsync(inode, payload, local, epoch).ConfigureAwait(EngineAwait.Captured);
        return value;
    }

    private async ValueTask<TValue> MakeAndPublishAsync<TState>(
        Inode<TKey, TValue> inode,
        LoadFlight<TValue> flight,
        TState state,
        Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory,
        OperationResult right)
    {
        TValue value = await factory(inode.Key, state, flight.Token).ConfigureAwait(EngineAwait.Captured);
        _engine.TryPublish(inode, value, right.Version, right.Epoch, ExpiryFromNow());
        return value;
    }
}
