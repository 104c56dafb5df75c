using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using CacheEngine.Arbitration;
using CacheEngine.Coherence;
using CacheEngine.Inodes;
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
    private readonly OperationDesk _desk;
    private readonly Loads<TKey, TValue> _loads;
    private readonly Reads<TKey, TValue> _reads;
    private readonly Writes<TKey, TValue> _writes;
    private readonly SourceRules<TKey> _source;

    internal CoherentCache(
        Engine engine,
        InodeTable<TKey, TValue> table,
        KeyIdentity<TKey> identity,
        ValueCodec<TValue> values,
        SourceRules<TKey> source,
        TimeSpan? expiration)
    {
        _engine = engine;
        engine.Watch.Sender = this;
        engine.LossWatch.Sender = this;
        _table = table;
        _identity = identity;
        _source = source;
        _desk = engine.Desk;
        _session = engine.Session;
        _clock = engine.Clock;
        _loads = new Loads<TKey, TValue>(_desk, engine.LoadDesk, _clock, identity, values, source);
        _reads = new Reads<TKey, TValue>(_desk, engine.Pool, identity, _loads);
        _writes = new Writes<TKey, TValue>(_desk, engine.Flushes, engine.Pool, _clock, identity, values, source, expiration);
    }

    /// <summary>Raised when <see cref="State"/> has changed: one call at a time, on a thread of the pool. Short-lived states may be passed over; a lapse
    /// is noticed within a quarter of the renewal interval.</summary>
    public event EventHandler<CacheStateChangedEventArgs>? StateChanged
    {
        add => _engine.Watch.Changed += value;
        remove => _engine.Watch.Changed -= value;
    }

    /// <summary>Raised for every loss of buffered writes, one call at a time, on a thread of the pool.</summary>
    public event EventHandler<WritesLostEventArgs>? WritesLost
    {
        add => _engine.LossWatch.Announced += value;
        remove => _engine.LossWatch.Announced -= value;
    }

    /// <summary>How many objects this node has written and not begun to flush, and how many flushes the authority has not acknowledged for good.</summary>
    public (int Dirty, int Flushing) Unflushed => _engine.WriteBack.Ledger.Count;

    /// <summary>What the cache can do for its callers now.</summary>
    public CacheState State => _engine.State;

    /// <summary>How many keys this cache knows of, served or not.</summary>
    public int Count => _table.Count;

    /// <summary>How many revokes this node has taken in since it was opened.</summary>
    public long Revokes => _engine.Revokes;

    /// <summary>How many times this node has asked the authority for a value since it was opened.</summary>
    public long Questions => _desk.Questions;

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
    /// <exception cref="InvalidOperationException">The limit of entries or of operations is reached.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask<Lookup<TValue>> GetAsync(TKey key, CancellationToken cancellationToken = default)
    {
        if (TryGet(key, out TValue? value, out long version))
        {
            return new ValueTask<Lookup<TValue>>(new Lookup<TValue>(LookupStatus.Hit, value, version));
        }

        if (_source.IsAtSource)
        {
            return new ValueTask<Lookup<TValue>>(default(Lookup<TValue>));
        }

        return _reads.ReadAsync(Resolve(key), cancellationToken);
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
            else if (!_source.IsAtSource)
            {
                waits[i].Inode = Resolve(keys[i]);
            }
        }

        if (Array.Exists(waits, wait => wait.Inode is not null))
        {
            _reads.Start(waits, cancellationToken);
            await _reads.FinishAsync(waits, found, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        }

        return found;
    }

    /// <summary>Looks a key up, loading its value if there is none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="state">What the factory needs; passed on, so that the factory can be static.</param>
    /// <param name="factory">Makes the value. Callers of this node that ask meanwhile share its outcome, its failure too; it is cancelled when all of
    /// them have given up. With <see cref="ValuePlacement.Authority"/> one node of the cluster runs it, and a failure lets the next one try. If
    /// a write overtakes it, its value goes to its callers and is not stored.</param>
    /// <param name="options">What is asked for the entry if this call loads it; null: what the cache's options say.</param>
    /// <param name="cancellationToken">Ends this caller's wait.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time; if a value was made and sent to it, it is unknown whether it was stored.</exception>
    /// <exception cref="CapabilityLostException">The key's last writer may still be writing at the source, and the right to rule that out was lost again and again.</exception>
    /// <exception cref="InvalidOperationException">The limit of entries or of operations is reached.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    /// <remarks>What the factory throws reaches the caller, as does what <see cref="CoherentCacheOptions{TKey, TValue}.RaiseFenceAsync"/> throws.</remarks>
    public ValueTask<TValue> GetOrCreateAsync<TState>(
        TKey key,
        TState state,
        Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory,
        CoherentCacheEntryOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return TryGet(key, out TValue? value)
            ? new ValueTask<TValue>(value)
            : _loads.LoadAsync(Resolve(key), state, factory, _writes.TimeToLive(options), cancellationToken);
    }

    /// <inheritdoc cref="GetOrCreateAsync{TState}"/>
    public ValueTask<TValue> GetOrCreateAsync(
        TKey key,
        Func<TKey, CancellationToken, ValueTask<TValue>> factory,
        CoherentCacheEntryOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return GetOrCreateAsync(key, factory, static (key, load, token) => load(key, token), options, cancellationToken);
    }

    /// <summary>Writes a value. Through: completes when the authority has it and no node, this one included, can serve an older one. Back: see
    /// <see cref="WriteMode.Back"/>.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value; must not be changed afterwards.</param>
    /// <param name="options">What is asked for the entry; null: what the cache's options say.</param>
    /// <param name="mode">When the write is acknowledged.</param>
    /// <param name="cancellationToken">Ends the wait. A write that was sent goes on.</param>
    /// <returns>The version of the value.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mode"/> is not defined.</exception>
    /// <exception cref="InvalidOperationException">Values live at the source: change it within <see cref="BeginWriteAsync"/>; or a limit is reached. Nothing
    /// was changed.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time; see <see cref="AuthorityUnavailableException.IsOutcomeUnknown"/>.</exception>
    /// <exception cref="WriteCanceledException">The wait was cancelled after the write had been sent: its outcome is unknown.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled before that: nothing was changed.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask<long> SetAsync(
        TKey key,
        TValue value,
        CoherentCacheEntryOptions? options = null,
        WriteMode mode = WriteMode.Through,
        CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        ThrowIfAtSource();
        cancellationToken.ThrowIfCancellationRequested();
        return mode switch
        {
            WriteMode.Through => _writes.ChangeAsync(Resolve(key), OperationKind.Write, _writes.Storing(value, options), cancellationToken),
            WriteMode.Back => _writes.WriteBackAsync(Resolve(key), _writes.Storing(value, options), cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "mode must be Through or Back."),
        };
    }

    /// <summary>Completes when the authority has everything that this node wrote to a key before this call, so that it outlives this node and the authority.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the wait; the flush goes on.</param>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="BufferedWritesLostException">Some of it can never be saved. Thrown once for each loss, also for one before this call, and to every flush
    /// that was waiting for it.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time; what is dirty stays so, and is flushed when it can be.</exception>
    /// <exception cref="InvalidOperationException">The limit of operations is reached.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask FlushAsync(TKey key, CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        return _writes.FlushAsync(_table.Find(key, _identity.Hash(key)), isAll: false, cancellationToken);
    }

    /// <summary>Completes when the authority has everything that this node wrote before this call. What is written meanwhile is not waited for.</summary>
    /// <inheritdoc cref="FlushAsync(TKey, CancellationToken)"/>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => _writes.FlushAsync(null, isAll: true, cancellationToken);

    /// <summary>Writes several values through, each as <see cref="SetAsync"/> does; together they are no transaction. The rights they may need are reserved before
    /// anything is sent: all or nothing.</summary>
    /// <param name="entries">The keys and values. Of a key that is repeated the last value stands.</param>
    /// <param name="options">What is asked for the entries; null: what the cache's options say.</param>
    /// <param name="cancellationToken">Ends the wait. What was sent goes on.</param>
    /// <returns>The authority's versions, in the order of <paramref name="entries"/>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="entries"/> or one of its keys is null; nothing was sent.</exception>
    /// <exception cref="InvalidOperationException">Values live at the source, or the limit of entries would be passed, and nothing was sent; or the limit of
    /// operations was reached, and the entries before it were written.</exception>
    /// <inheritdoc cref="SetAsync" path="/exception[@cref!='ArgumentNullException' and @cref!='InvalidOperationException']"/>
    /// <remarks>If several fail, the first failure is thrown when all have ended; the others were written or not as they would have been alone.</remarks>
    public async ValueTask<long[]> SetManyAsync(
        IReadOnlyList<KeyValuePair<TKey, TValue>> entries,
        CoherentCacheEntryOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ThrowIfAtSource();
        cancellationToken.ThrowIfCancellationRequested();
        var changes = new (Inode<TKey, TValue> Inode, Change Change)[entries.Count];
        for (int i = 0; i < changes.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(entries[i].Key, nameof(entries));
        }

        for (int i = 0; i < changes.Length; i++)
        {
            changes[i] = (Resolve(entries[i].Key), _writes.Storing(entries[i].Value, options));
        }

        Task<long>[] writes = _writes.StartMany(changes, cancellationToken);
        await Task.WhenAll(writes).ConfigureAwait(EngineAwait.Captured);
        return Array.ConvertAll(writes, write => write.Result);
    }

    /// <summary>Replaces a value by what is made of it, atomically: no other write of the cluster comes in between.</summary>
    /// <param name="key">The key.</param>
    /// <param name="state">What the function needs; passed on, so that it can be static.</param>
    /// <param name="update">Makes the new value of the old one. It runs once, on the caller's side, while this node alone has the right to change the object: it
    /// must be quick, and what it throws reaches the caller with nothing changed.</param>
    /// <param name="options">What is asked for the entry; null: what the cache's options say.</param>
    /// <param name="cancellationToken">Ends the wait. A write that was sent goes on.</param>
    /// <returns>The new value with its version; absent, and nothing changed, if there is no value.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="update"/> is null.</exception>
    /// <exception cref="CapabilityLostException">This node was silent for too long, or the function took too long: nothing was changed.</exception>
    /// <inheritdoc cref="SetAsync" path="/exception[@cref!='ArgumentNullException']"/>
    public ValueTask<Lookup<TValue>> UpdateAsync<TState>(
        TKey key,
        TState state,
        Func<TValue, TState, TValue> update,
        CoherentCacheEntryOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(update);
        ThrowIfAtSource();
        cancellationToken.ThrowIfCancellationRequested();
        return _writes.UpdateAsync(Resolve(key), state, update, options, cancellationToken);
    }

    /// <summary>Writes a value if the key still has the expected version. If not, nothing is changed and no node's rights are disturbed.</summary>
    /// <param name="key">The key.</param>
    /// <param name="expectedVersion">A version that a lookup or write of this key has told; of an absence too; zero: the key was never written.</param>
    /// <param name="value">The value; must not be changed afterwards.</param>
    /// <param name="options">What is asked for the entry; null: what the cache's options say.</param>
    /// <param name="cancellationToken">Ends the wait. A write that was sent goes on.</param>
    /// <returns>Whether it was written, and the version that stands.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="expectedVersion"/> is negative, or the key has never had it. Nothing was changed.</exception>
    /// <inheritdoc cref="SetAsync" path="/exception"/>
    public ValueTask<UpdateResult> TryUpdateAsync(
        TKey key,
        long expectedVersion,
        TValue value,
        CoherentCacheEntryOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfNegative(expectedVersion);
        ThrowIfAtSource();
        cancellationToken.ThrowIfCancellationRequested();
        if (TryGet(key, out _, out long version) && version > expectedVersion)
        {
            // What is served here is current: no need to ask.
            return new ValueTask<UpdateResult>(new UpdateResult(isUpdated: false, version));
        }

        Change change = _writes.Storing(value, options);
        change.Precondition = Precondition.Exactly(expectedVersion);
        return _writes.TryUpdateAsync(Resolve(key), change, cancellationToken);
    }

    /// <summary>Begins to change an object at the application's source: takes every node's right to it, and gives this one a fence to write with.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The right; dispose it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Values live at the authority; or neither <see cref="CoherentCacheOptions{TKey, TValue}.RaiseFenceAsync"/> nor
    /// <see cref="CoherentCacheOptions{TKey, TValue}.MaxSourceWriteTime"/> is set; or a limit is reached.</exception>
    /// <exception cref="AuthorityUnavailableException">The authority did not answer in time, or other nodes held the key for too long. The source was not touched.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    /// <remarks>What <see cref="CoherentCacheOptions{TKey, TValue}.RaiseFenceAsync"/> throws reaches the caller, and the right goes back.</remarks>
    public ValueTask<CacheWrite<TKey, TValue>> BeginWriteAsync(TKey key, CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        if (!_source.Terms.AllowsWrites)
        {
            throw new InvalidOperationException(_source.IsAtSource
                ? "To write at the source, set RaiseFenceAsync or MaxSourceWriteTime in the options of every cache of the region."
                : "Values live at the authority: use SetAsync or UpdateAsync.");
        }

        cancellationToken.ThrowIfCancellationRequested();
        return _writes.BeginAsync(Resolve(key), cancellationToken);
    }

    /// <summary>Removes a value, or tells the cluster that the source has changed. Completes when no node can serve an older one.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the wait. A removal that was sent goes on.</param>
    /// <returns>The authority's version of the absence.</returns>
    /// <exception cref="InvalidOperationException">The limit of entries or of operations is reached; nothing was changed.</exception>
    /// <inheritdoc cref="SetAsync" path="/exception[@cref!='InvalidOperationException']"/>
    public ValueTask<long> RemoveAsync(TKey key, CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        cancellationToken.ThrowIfCancellationRequested();
        return _writes.ChangeAsync(Resolve(key), OperationKind.Remove, default, cancellationToken);
    }

    /// <summary>Takes every node's right to a key back, this one's too; the value stays, and its next reader asks for it. For administrators: when
    /// it returns, no node serves the key from before.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the wait. A recall that was sent goes on; it changes nothing that is written.</param>
    /// <returns>The authority's version of the key, unchanged.</returns>
    /// <exception cref="InvalidOperationException">The limit of entries or of operations is reached; nothing was changed.</exception>
    /// <inheritdoc cref="SetAsync" path="/exception[@cref!='InvalidOperationException']"/>
    public ValueTask<long> RecallAsync(TKey key, CancellationToken cancellationToken = default)
    {
        ThrowIfNull(key);
        cancellationToken.ThrowIfCancellationRequested();
        return _writes.ChangeAsync(Resolve(key), OperationKind.Recall, default, cancellationToken);
    }

    /// <summary>An operator's way out of a stalemate: flushes for as long as it may, then drops the session with everything held or waited for under it, and begins
    /// anew. Every caller who waits gets an end by then: its operation failed, or its outcome is unknown.</summary>
    /// <param name="drainTimeout">How long it may flush; not negative.</param>
    /// <param name="cancellationToken">Ends the flushing, not the reset.</param>
    /// <returns>What was lost and had not been told, by this reset or before.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="drainTimeout"/> is negative, or more than a day.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public ValueTask<IReadOnlyList<LossReport>> ResetAsync(TimeSpan drainTimeout, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(drainTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(drainTimeout, TimeSpan.FromDays(1));
        return _engine.ResetAsync(drainTimeout, cancellationToken);
    }

    /// <summary>Flushes what was buffered, for as long as an operation may take; then ends the session: this node's rights go back at once, its waiting callers
    /// fail, and nothing is served any more. What could not be flushed is told to <see cref="WritesLost"/>.</summary>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    /// <summary>The same as <see cref="DisposeAsync"/>, without waiting for what has to be flushed.</summary>
    public void Dispose()
    {
        // If nothing is dirty it runs to its end on this thread, apart from a timer callback that may still be running.
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

    private void ThrowIfAtSource()
    {
        if (_source.IsAtSource)
        {
            throw new InvalidOperationException(
                "Values live at the source: change the value there within BeginWriteAsync, or change it and then call RemoveAsync.");
        }
    }
}
