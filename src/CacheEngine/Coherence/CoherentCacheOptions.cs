using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine;

/// <summary>Where the truth about a value lives.</summary>
public enum ValuePlacement
{
    /// <summary>The authority keeps the values; a write goes through it. One load per cluster.</summary>
    Authority,

    /// <summary>The application's own source keeps the values; the authority keeps rights, versions and fences. One load per node. Change the source within
    /// <see cref="CoherentCache{TKey, TValue}.BeginWriteAsync"/>; or, if nobody reads what he wrote before he was told, change it and then call
    /// <see cref="CoherentCache{TKey, TValue}.RemoveAsync"/>: when that returns, no node serves the old value.</summary>
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

    /// <summary>How long a value lives, unless its entry's options say otherwise: from when it is stored, or with <see cref="ValuePlacement.Source"/>
    /// from when it was loaded, which bounds the effect of writers that do not go through the cache. Null: for as long as nobody changes it.</summary>
    public TimeSpan? Expiration { get; set; }

    /// <summary>With <see cref="ValuePlacement.Source"/>: makes the source refuse every fence of this key that is older than the given one, in one
    /// conditional write; may be called more than once. It is called before the source is read again after a writer has lost its right without
    /// a word, so that a write which is stalled inside the source can do no harm. This, or <see cref="MaxSourceWriteTime"/>, is needed for
    /// <see cref="CoherentCache{TKey, TValue}.BeginWriteAsync"/>. All caches of a region must agree on which.</summary>
    public Func<TKey, Fence, CancellationToken, ValueTask>? RaiseFenceAsync { get; set; }

    /// <summary>With <see cref="ValuePlacement.Source"/>, and a source that cannot compare fences: how long after the end of its right a write may still take
    /// effect there. For so long nobody reads the object after its writer has lost its right without a word; coherence rests on it.</summary>
    public TimeSpan? MaxSourceWriteTime { get; set; }

    /// <summary>How long a write of <see cref="CoherentCache{TKey, TValue}.BeginWriteAsync"/> may hold up others who want the key, before its own cache takes the
    /// right from it, at its next tick. Less than <see cref="OperationTimeout"/>, which is how long the others wait. Null: a third of it.</summary>
    public TimeSpan? BreakTimeout { get; set; }

    /// <summary>How long a write of <see cref="WriteMode.Back"/> is kept back at most before its flush begins, however often it is written over; the timer looks at
    /// it a few times in a lease term. Default one second.</summary>
    public TimeSpan WriteBackDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many keys may be written and not flushed at once; writes of more go through. Default 65,536.</summary>
    public int MaxDirtyEntries { get; set; } = 65_536;

    /// <summary>The size of a value in bytes, for the authority's limit on what a node may keep back of one key. Null: of the serialised value, where values are
    /// serialised, else unlimited. Must not be negative, must be quick, and is called once a write.</summary>
    public Func<TValue, long>? SizeOf { get; set; }

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

        CoherentCacheEntryOptions.Validate(Expiration, nameof(Expiration));
        if (BreakTimeout is { } breakTimeout && (breakTimeout <= TimeSpan.Zero || breakTimeout >= OperationTimeout))
        {
            throw new ArgumentOutOfRangeException(
                nameof(BreakTimeout), BreakTimeout, $"BreakTimeout must be positive and less than OperationTimeout ({OperationTimeout}).");
        }

        ValidateSource();
        if (WriteBackDelay < TimeSpan.Zero || WriteBackDelay > TimeSpan.FromDays(1))
        {
            throw new ArgumentOutOfRangeException(nameof(WriteBackDelay), WriteBackDelay, "WriteBackDelay must not be negative and at most one day.");
        }

        if (MaxDirtyEntries <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxDirtyEntries), MaxDirtyEntries, "MaxDirtyEntries must be at least 1.");
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

    private void ValidateSource()
    {
        if (MaxSourceWriteTime is { } time && (time <= TimeSpan.Zero || time > TimeSpan.FromDays(1)))
        {
            throw new ArgumentOutOfRangeException(nameof(MaxSourceWriteTime), time, "MaxSourceWriteTime must be positive and at most one day, or null.");
        }

        if (Placement == ValuePlacement.Authority && (RaiseFenceAsync is not null || MaxSourceWriteTime is not null))
        {
            throw new ArgumentException("RaiseFenceAsync and MaxSourceWriteTime apply to ValuePlacement.Source only.", nameof(Placement));
        }

        if (RaiseFenceAsync is not null && MaxSourceWriteTime is not null)
        {
            throw new ArgumentException("Set RaiseFenceAsync or MaxSourceWriteTime, not both: a raised fence needs no waiting.", nameof(MaxSourceWriteTime));
        }
    }

    internal Arbitration.SourceTerms SourceTerms() => new(
        Placement == ValuePlacement.Source, RaiseFenceAsync is not null, (long)Math.Ceiling(MaxSourceWriteTime?.TotalMilliseconds ?? 0));
}
