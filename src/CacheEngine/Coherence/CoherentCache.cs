using System.Security.Cryptography;
using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Coherence;
using CacheEngine.Inodes;
using CacheEngine.Sync;
using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine;

/// <summary>Opens coherent caches.</summary>
public static class CoherentCache
{
    /// <summary>Opens one node's cache of a region: a session at the authority and a table in this process's memory.</summary>
    /// <typeparam name="TKey">The type of the keys.</typeparam>
    /// <typeparam name="TValue">The type of the values. Values are shared between callers: treat them as immutable.</typeparam>
    /// <param name="authority">The authority; it must outlive the cache.</param>
    /// <param name="region">The key space. Caches of one region see each other's writes.</param>
    /// <param name="options">How to open it; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the wait for the authority.</param>
    /// <exception cref="ArgumentException">An argument or option is out of range; the message names it and the rule.</exception>
    /// <exception cref="NotSupportedException">There is no built-in key codec for <typeparamref name="TKey"/>.</exception>
    /// <exception cref="InvalidOperationException">The region is open with another codec, value type or placement, or the authority copies values
    /// and there is no serializer.</exception>
    public static async ValueTask<CoherentCache<TKey, TValue>> OpenAsync<TKey, TValue>(
        CacheAuthority authority,
        string region,
        CoherentCacheOptions<TKey, TValue>? options = null,
        CancellationToken cancellationToken = default)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(authority);
        ArgumentException.ThrowIfNullOrEmpty(region);
        options ??= new CoherentCacheOptions<TKey, TValue>();
        options.Validate();
        IKeyCodec<TKey> codec = options.KeyCodec ?? KeyCodec.For<TKey>();
        IHybridCacheSerializer<TValue>? serializer = null;
        if (authority.CopiesValues && options.Placement == ValuePlacement.Authority)
        {
            serializer = options.Serializer ?? BuiltInSerializers.Find<TValue>() ?? throw new InvalidOperationException(
                $"The authority copies values: set the option Serializer for {typeof(TValue)}.");
        }

        ulong seed = options.HashSeed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var identity = new KeyIdentity<TKey>(codec, seed);
        var table = new InodeTable<TKey, TValue>(identity, options.MaxEntries);
        SourceTerms source = options.SourceTerms();
        string shape = $"{codec.Name} -> {typeof(TValue)} at the {options.Placement}"
            + (source.RaisesFence ? ", fences raised" : source.AllowsWrites ? $", source writes within {source.MaxWriteMilliseconds} ms" : string.Empty);
        var engine = new Engine(authority, table, new EngineOptions
        {
            Opening = new SessionOpening(region, shape, options.NodeName ?? region, new Guid(RandomNumberGenerator.GetBytes(16)), source),
            TimeProvider = options.TimeProvider ?? authority.TimeProvider,
            MaxEntries = options.MaxEntries,
            MaxOperations = options.MaxOperations,
            OperationTimeout = options.OperationTimeout,
            WriteBackDelay = options.WriteBackDelay,
            MaxDirty = options.MaxDirtyEntries,
            BreakTimeout = options.BreakTimeout ?? (options.OperationTimeout / 3),
            Scheduler = options.Scheduler ?? InlinePumpScheduler.Instance,
        });
        await engine.StartAsync(cancellationToken).ConfigureAwait(EngineAwait.Captured);
        var rules = new SourceRules<TKey>(source, options.RaiseFenceAsync);
        return new CoherentCache<TKey, TValue>(engine, table, identity, new ValueCodec<TValue>(serializer, options.SizeOf), rules, options.Expiration);
    }

    /// <summary>Looks a string key up by its characters, without making a string.</summary>
    /// <inheritdoc cref="CoherentCache{TKey, TValue}.TryGet(TKey, out TValue)"/>
    public static bool TryGet<TValue>(this CoherentCache<string, TValue> cache, ReadOnlySpan<char> key, out TValue value)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return cache.TryGetText(key, out value);
    }
}
