namespace CacheEngine.Load.Caches;

/// <summary>One node's cache as a scenario sees it. A test puts a cache behind it that serves what is stale.</summary>
public interface ICacheNode
{
    /// <summary>Looks a key up in this node's memory only.</summary>
    bool TryGet(string key, out Sighting seen);

    /// <summary>Looks a key up, wherever its value is; nothing is seen if there is none.</summary>
    ValueTask<Sighting> GetAsync(string key);

    /// <summary>Looks a key up, loading its value if there is none.</summary>
    ValueTask<StampedValue> GetOrCreateAsync(string key, Func<ValueTask<StampedValue>> factory);

    /// <summary>Writes a value; completes when no node serves an older one.</summary>
    /// <returns>The version of the value.</returns>
    ValueTask<long> SetAsync(string key, StampedValue value);
}

/// <summary>What a lookup showed.</summary>
/// <param name="Value">The value; null if there is none.</param>
/// <param name="Version">The version of the value or of its absence; grows with every write of the key.</param>
public readonly record struct Sighting(StampedValue? Value, long Version);

/// <summary>The nodes of one region.</summary>
public interface ICacheCluster : IAsyncDisposable
{
    IReadOnlyList<ICacheNode> Nodes { get; }

    /// <summary>Revokes that nodes took in since they were opened.</summary>
    long Revokes { get; }

    /// <summary>Questions that nodes asked the authority since they were opened.</summary>
    long Questions { get; }

    /// <summary>Messages that the authority refused; zero in a healthy system.</summary>
    long RefusedMessages { get; }
}
