using System.Runtime.CompilerServices;
using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Coherence;

/// <summary>
/// Changes: write-through, on an expected version, atomic updates under the exclusive right, and writes at the application's source.
/// </summary>
internal sealed class Writes<TKey, TValue>(
    OperationDesk desk, FlushDesk flushes, CapPool caps, EngineClock clock, KeyIdentity<TKey> identity, ValueCodec<TValue> values, SourceRules<TKey> source, TimeSpan? expiration)
    where TKey : notnull
{
    private const int MaxRoomRounds = 4;

    private readonly long _timeToLive = Milliseconds(expiration);

    private static UpdateResult NotUpdated(Refusal refusal, long version) =>
        refusal != Refusal.VersionUnknown ? new UpdateResult(isUpdated: false, version) : throw new ArgumentOutOfRangeException(
            "expectedVersion", $"The key has never had the expected version, or the authority has lost it: its version is {version}.");

    public long TimeToLive(CoherentCacheEntryOptions? options) => options?.Expiration is { } span ? Milliseconds(span) : _timeToLive;

    /// <summary>Buffers a write if this node holds the object alone; else it goes through, and asks for that.</summary>
    public ValueTask<long> WriteBackAsync(Inode<TKey, TValue> inode, in Change change, CancellationToken cancellationToken)
    {
        BufferStep step = flushes.TryBuffer(inode, change, out long version);
        return step == BufferStep.Buffer ? new ValueTask<long>(version) : WriteBackAsync(inode, step, change, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<long> WriteBackAsync(Inode<TKey, TValue> inode, BufferStep step, Change change, CancellationToken cancellationToken)
    {
        // Bound: each round is one answer of the authority about the limit.
        for (int round = 0; step == BufferStep.AwaitRoom && round < MaxRoomRounds; round++)
        {
            OperationResult room = await flushes.AwaitRoomAsync(inode, change, cancellationToken).ConfigureAwait(EngineAwait.Captured);
            _ = Outcomes.OfRead(room, cancellationToken);
            step = flushes.TryBuffer(inode, change, out long version);
            if (step == BufferStep.Buffer)
            {
                return version;
            }
        }

        change.WantsBuffer = true;
        OperationResult written =
            await desk.ChangeAsync(inode, OperationKind.Write, identity, change, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        return Outcomes.OfChange(written, cancellationToken).Version;
    }

    /// <summary>Waits for the flush of a key, or of all; tells what was lost.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync(Inode<TKey, TValue>? inode, bool isAll, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(desk.IsClosed, typeof(CoherentCache));
        if (inode is null && !isAll)
        {
            return;
        }

        LossLedger losses = flushes.WriteBack.Losses;
        long mark = losses.Mark;
        OperationResult result = isAll
            ? await flushes.FlushAllAsync(cancellationToken).ConfigureAwait(EngineAwait.Captured)
            : await flushes.FlushAsync(inode!, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        IReadOnlyList<LossReport> lost = losses.Take(inode, mark);
        if (lost.Count > 0)
        {
            throw new BufferedWritesLostException(lost);
        }

        _ = Outcomes.OfRead(result, cancellationToken);
    }

    public Change Storing(TValue value, CoherentCacheEntryOptions? options)
    {
        long timeToLive = TimeToLive(options);
        return values.Change(value, timeToLive, desk.LocalExpiry(timeToLive));
    }

    public Task<long>[] StartMany((Inode<TKey, TValue> Inode, Change Change)[] changes, CancellationToken cancellationToken)
    {
        var withoutCap = new HashSet<Inode>();
        foreach ((Inode<TKey, TValue> inode, _) in changes)
        {
            if (!inode.HasCap)
            {
                withoutCap.Add(inode);
            }
        }

        CapReservation reserved = caps.Reserve(withoutCap.Count);
        var writes = new Task<long>[changes.Length];
        try
        {
            for (int i = 0; i < changes.Length; i++)
            {
                writes[i] = FinishAsync(
                    desk.ChangeAsync(changes[i].Inode, OperationKind.Write, identity, changes[i].Change, ref reserved, cancellationToken), cancellationToken);
            }
        }
        catch (Exception exception)
        {
            // A bound was reached half-way: what was sent goes on, and its caller is told of the bound when it has ended.
            for (int i = 0; i < writes.Length; i++)
            {
                writes[i] ??= Task.FromException<long>(exception);
            }
        }
        finally
        {
            reserved.Dispose();
        }

        return writes;
    }

    private static async Task<long> FinishAsync(ValueTask<OperationResult> write, CancellationToken cancellationToken) =>
        Outcomes.OfChange(await write.ConfigureAwait(EngineAwait.Captured), cancellationToken).Version;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<long> ChangeAsync(Inode<TKey, TValue> inode, OperationKind kind, Change change, CancellationToken cancellationToken)
    {
        OperationResult result = await desk.ChangeAsync(inode, kind, identity, change, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        return Outcomes.OfChange(result, cancellationToken).Version;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<UpdateResult> TryUpdateAsync(Inode<TKey, TValue> inode, Change change, CancellationToken cancellationToken)
    {
        OperationResult result = Outcomes.OfChange(
            await desk.ChangeAsync(inode, OperationKind.Write, identity, change, cancellationToken).ConfigureAwait(EngineAwait.Captured), cancellationToken);
        return result.Status == OperationStatus.Written
            ? new UpdateResult(isUpdated: true, result.Version)
            : NotUpdated(result.Refusal, result.Version);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Lookup<TValue>> UpdateAsync<TState>(
        Inode<TKey, TValue> inode,
        TState state,
        Func<TValue, TState, TValue> update,
        CoherentCacheEntryOptions? options,
        CancellationToken cancellationToken)
    {
        OperationResult right = await OwnAsync(inode, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        var change = new Change { Settlement = Settlement.Abandoned };
        TValue? value = default;
        try
        {
            if (right.HasValue)
            {
                value = update(values.Decode(right.Payload), state);
                change = Storing(value, options);
                change.Settlement = Settlement.Completed;
            }
        }
        finally
        {
            // What the function throws leaves the object as it was.
            change.Ownership = right.Ownership;
            if (change.Settlement == Settlement.Abandoned)
            {
                _ = desk.GiveUpAsync(inode, right.Ownership);
            }
        }

        if (!right.HasValue)
        {
            return new Lookup<TValue>(LookupStatus.Absent, default, right.Version);
        }

        OperationResult result = Outcomes.OfChange(
            await desk.SettleAsync(inode, change, flight: null, cancellationToken).ConfigureAwait(EngineAwait.Captured), cancellationToken);
        return new Lookup<TValue>(LookupStatus.Hit, value, result.Version);
    }

    public async ValueTask<CacheWrite<TKey, TValue>> BeginAsync(Inode<TKey, TValue> inode, CancellationToken cancellationToken)
    {
        OperationResult right = await OwnAsync(inode, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        bool isUnsettled = right.Status == OperationStatus.Unsettled;
        if (isUnsettled)
        {
            await source.RaiseOrAbandonAsync(desk, inode, inode.Key, right.Ownership, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        }

        return new CacheWrite<TKey, TValue>(
            desk, inode, right.Ownership, isUnsettled, () => _timeToLive == 0 ? long.MaxValue : clock.Now + _timeToLive);
    }

    /// <summary>Waits for the right to change an object. Nothing comes of a wait that ends without it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<OperationResult> OwnAsync(Inode<TKey, TValue> inode, CancellationToken cancellationToken)
    {
        OperationResult result =
            await desk.ChangeAsync(inode, OperationKind.Own, identity, default, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        return Outcomes.OfRead(result, cancellationToken);
    }

    private static long Milliseconds(TimeSpan? span) => span is { } time ? (long)Math.Ceiling(time.TotalMilliseconds) : 0;
}
