using System.Runtime.CompilerServices;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Coherence;

/// <summary>Reads that memory cannot answer: one question, or one for each of several keys with the rights they may need reserved first.</summary>
internal sealed class Reads<TKey, TValue>(OperationDesk desk, CapPool caps, KeyIdentity<TKey> identity, Loads<TKey, TValue> loads)
    where TKey : notnull
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Lookup<TValue>> ReadAsync(Inode<TKey, TValue> inode, CancellationToken cancellationToken)
    {
        OperationResult result = await desk.ReadAsync(inode, OperationKind.Read, null, identity, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        return ToLookup(inode, Outcomes.OfRead(result, cancellationToken));
    }

    private Lookup<TValue> ToLookup(Inode inode, in OperationResult result)
    {
        return result.Status == OperationStatus.Present
            ? new Lookup<TValue>(LookupStatus.Hit, loads.TakePresent(inode, result), result.Version)
            : new Lookup<TValue>(LookupStatus.Absent, default, result.Version);
    }

    public void Start(
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

        CapReservation reserved = caps.Reserve(withoutCap.Count);
        try
        {
            for (int i = 0; i < waits.Length; i++)
            {
                if (waits[i].Inode is { } inode)
                {
                    waits[i].Wait = WaitAsync(desk.ReadAsync(inode, OperationKind.Read, null, identity, ref reserved, cancellationToken));
                }
            }
        }
        finally
        {
            reserved.Dispose();
        }
    }

    /// <summary>As a task; AsTask would leave the simulation's thread.</summary>
    private static async Task<OperationResult> WaitAsync(ValueTask<OperationResult> wait) => await wait.ConfigureAwait(EngineAwait.Captured);

    public async ValueTask FinishAsync(
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
                found[i] = ToLookup(inode, Outcomes.OfRead(result, cancellationToken));
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
}
