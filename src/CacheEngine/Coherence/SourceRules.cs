using CacheEngine.Arbitration;
using CacheEngine.Inodes;
using CacheEngine.Sync;

namespace CacheEngine.Coherence;

/// <summary>What a cache knows of the application's own source of values: whether there is one, and how an older writer is kept out of it.</summary>
internal sealed class SourceRules<TKey>(SourceTerms terms, Func<TKey, Fence, CancellationToken, ValueTask>? raiseFence)
    where TKey : notnull
{
    public SourceTerms Terms => terms;

    public bool IsAtSource => terms.IsAtSource;

    /// <summary>Brings a fence into force at the source. If that fails, the right goes back and the object stays unsettled.</summary>
    public async ValueTask RaiseOrAbandonAsync(
        OperationDesk desk, Inode inode, TKey key, Ownership ownership, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await raiseFence!(key, ownership.Fence, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        }
        catch
        {
            _ = desk.GiveUpAsync(inode, ownership);
            throw;
        }
    }
}
