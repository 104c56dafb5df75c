using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine;

/// <summary>Where the truth about a value lives.</summary>
public enum ValuePlacement
{
    /// <summary>The authority keeps the values; a write goes through it. One load per cluster.</summary>
    Authority,

    /// <summary>The application's own source keeps the values; the authority keeps rights and versions. One load per node. Change the source, then
    /// call <see cref="CoherentCache{TKey, TValue}.RemoveAsync"/>: when it returns, no node serves the old value.</summary>
    Source,
}

/// <summary>How a cache is opened; read once. All caches of a region must agree on codec, value type and placement.</summary>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values.</typeparam>
public sealed class CoherentCacheOptions<TKey, TValue>
{
    /// <summary>Where the truth about a value lives. Default at the authority.</summary>
    public ValuePlacement Placement { get; set; }

    /// <summary>The canonical form of keys. Null: the built-in one of <see cref="CacheEngine.KeyCodec"/>.</summary>
    public IKeyCodec<TKey>? KeyCodec { get; set; }

    /// <summary>Turns values into bytes and back, for an authority that copies values. Null: built in for strings and byte arrays.</summary>
    public IHybridCacheSerializer<TValue>? Serializer { get; set; }

    /// <summary>How long a loaded value is served before it is loaded again, with <see cref="ValuePlacement.Source"/> only: bounds the effect of
    /// writers that do not go through the cache. Null: for as long as the right lasts.</summary>
    public TimeSpan? Expiration { get; set; }

    /// <summary>How long an operation waits for the authority before it fails. Default 30 seconds.</summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many keys this cache may hold rights on. Default ten million.</summary>
    public int MaxEntries { get; set; } = 10_000_000;

    /// <summary>How many operations may wait for the authority at once; more fail at once. Default 65,536.</summary>
    public int MaxOperations { get; set; } = 65_536;

    /// <summary>A name for this node in dumps. Null: the region's name.</summary>
    public string? NodeName { get; set; }

    /// <summary>The clock. Null: the authority's.</summary>
    public TimeProvider? TimeProvider { get; set; }

    /// <summary>The seed of the key hash; null: drawn anew for each cache.</summary>
    internal ulong? HashSeed { get; set; }

    /// <summary>Which threads run pumps; null: those of the callers.</summary>
    internal Sync.PumpScheduler? Scheduler { get; set; }

    internal void Validate()
    {
        if (Placement is not (ValuePlacement.Authority or ValuePlacement.Source))
        {
            throw new ArgumentOutOfRangeException(nameof(Placement), Placement, "Placement must be Authority or Source.");
        }

        if (OperationTimeout <= TimeSpan.Zero || OperationTimeout > TimeSpan.FromDays(1))
        {
            throw new ArgumentOutOfRangeException(nameof(OperationTimeout), OperationTimeout, "OperationTimeout must be positive and at most one day.");
        }

        if (Expiration is { } expiration && expiration <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(Expiration), expiration, "Expiration must be positive, or null for none.");
        }

        if (Expiration is not null && Placement == ValuePlacement.Authority)
        {
            throw new ArgumentException("Expiration applies to ValuePlacement.Source only: a value kept at the authority stays until it is changed.", nameof(Expiration));
        }

        if (MaxEntries <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxEntries), MaxEntries, "MaxEntries must be at least 1.");
        }

        if (MaxOperations <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxOperations), MaxOperations, "MaxOperations must be at least 1.");
        }
    }
}
