using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Coherence;

/// <summary>
/// Loads: one per key and node, shared by its callers; where the authority keeps the values, one per cluster.
/// </summary>
internal sealed class Loads<TKey, TValue>(
    OperationDesk desk, LoadDesk loads, EngineClock clock, KeyIdentity<TKey> identity, ValueCodec<TValue> values, SourceRules<TKey> source)
    where TKey : notnull
{
    /// <summary>How often a load begins again because the right to settle its object was lost, before it fails.</summary>
    private const int MaxSettlements = 8;

    public async ValueTask<TValue> LoadAsync<TState>(
        Inode<TKey, TValue> inode,
        TState state,
        Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory,
        long timeToLive,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var fresh = new LoadFlight<TValue>(timeToLive);
        var flight = (LoadFlight<TValue>)loads.JoinOrStart(inode, fresh);
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

    /// <summary>A value that came with its right: decoded here, on its caller's thread, and served from now on.</summary>
    public TValue TakePresent(Inode inode, in OperationResult result)
    {
        TValue value = values.Decode(result.Payload);
        if (result.Payload.Kind == Protocol.PayloadKind.Bytes)
        {
            loads.TryPublish(inode, value, result.Version, result.Epoch, result.Expiry);
        }

        return value;
    }

    /// <summary>The one load of a flight, from the question to the stored value. Never throws: its outcome is the flight's.</summary>
    private async Task FlyAsync<TState>(
        Inode<TKey, TValue> inode, LoadFlight<TValue> flight, TState state, Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory)
    {
        try
        {
            OperationResult result = source.IsAtSource
                ? await SettleAndReadAsync(inode, flight).ConfigureAwait(EngineAwait.Captured)
                : Outcomes.OfRead(
                    await desk.ReadAsync(inode, OperationKind.Load, flight, identity, flight.Token).ConfigureAwait(EngineAwait.Captured), flight.Token);
            TValue value =
                result.Status == OperationStatus.Present ? TakePresent(inode, result)
                : source.IsAtSource ? await MakeAndPublishAsync(inode, flight, state, factory, result).ConfigureAwait(EngineAwait.Captured)
                : await MakeAndStoreAsync(inode, flight, state, factory, result.Epoch).ConfigureAwait(EngineAwait.Captured);
            loads.EndFlight(inode, flight);
            flight.Succeed(value);
        }
        catch (Exception exception)
        {
            loads.EndFlight(inode, flight);
            flight.Fail(exception);
        }
    }

    /// <summary>The right to read the source. If the object's last writer may still be writing there, its fence is outdone first.</summary>
    private async ValueTask<OperationResult> SettleAndReadAsync(Inode<TKey, TValue> inode, LoadFlight<TValue> flight)
    {
        for (int tries = 0; tries < MaxSettlements; tries++)
        {
            OperationResult right = Outcomes.OfRead(
                await desk.ReadAsync(inode, OperationKind.Read, flight, identity, flight.Token).ConfigureAwait(EngineAwait.Captured), flight.Token);
            if (right.Status != OperationStatus.Unsettled)
            {
                return right;
            }

            await source.RaiseOrAbandonAsync(desk, inode, inode.Key, right.Ownership, flight.Token).ConfigureAwait(EngineAwait.Captured);
            var raised = new Change { Ownership = right.Ownership, Settlement = Arbitration.Settlement.Raised };
            OperationResult settled = await desk.SettleAsync(inode, raised, flight, CancellationToken.None).ConfigureAwait(EngineAwait.Captured);
            if (settled.Status != OperationStatus.Refused)
            {
                return Outcomes.OfRead(settled, flight.Token);
            }
        }

        throw new CapabilityLostException($"The right to settle the object was lost {MaxSettlements} times in a row.");
    }

    private async ValueTask<TValue> MakeAndStoreAsync<TState>(
        Inode<TKey, TValue> inode,
        LoadFlight<TValue> flight,
        TState state,
        Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory,
        uint epoch)
    {
        TValue value;
        Change change;
        try
        {
            flight.Token.ThrowIfCancellationRequested();
            value = await factory(inode.Key, state, flight.Token).ConfigureAwait(EngineAwait.Captured);
            change = values.Change(value, flight.TimeToLive, desk.LocalExpiry(flight.TimeToLive));
            change.Epoch = epoch;
        }
        catch
        {
            loads.AbandonLoad(inode, epoch);
            throw;
        }

        // Stored or overtaken, the value is this flight's: it was made after its callers had asked. If it may be stored later, it is nobody's: others may
        // read that there is none in between.
        OperationResult stored = await loads.FillAsync(inode, change).ConfigureAwait(EngineAwait.Captured);
        return !stored.IsOutcomeUnknown ? value : throw new AuthorityUnavailableException(
            "The session ended, or the authority did not answer in time, with a loaded value under way: it may or may not be stored.")
        { IsOutcomeUnknown = true };
    }

    private async ValueTask<TValue> MakeAndPublishAsync<TState>(
        Inode<TKey, TValue> inode,
        LoadFlight<TValue> flight,
        TState state,
        Func<TKey, TState, CancellationToken, ValueTask<TValue>> factory,
        OperationResult right)
    {
        TValue value = await factory(inode.Key, state, flight.Token).ConfigureAwait(EngineAwait.Captured);
        long expiry = flight.TimeToLive == 0 ? long.MaxValue : clock.Now + flight.TimeToLive;
        loads.TryPublish(inode, value, right.Version, right.Epoch, expiry);
        return value;
    }
}
