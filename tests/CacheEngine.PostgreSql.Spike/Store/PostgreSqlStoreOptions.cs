using CacheEngine.Flushing;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Store;

/// <summary>The terms of a <see cref="PostgreSqlRecordStore"/>.</summary>
internal sealed record PostgreSqlStoreOptions
{
    public required string ConnectionString { get; init; }

    /// <summary>All processes must agree.</summary>
    public required LeaseTerms Terms { get; init; }

    /// <summary>How much of one object a node may buffer.</summary>
    public SizeQuota Quota { get; init; } = new(64 * 1024, 64 * 1024 * 1024);

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How long the server waits for a process that holds rows locked and says nothing. Null: half a term.</summary>
    public TimeSpan? Patience { get; init; }

    /// <summary>The share of doorbells that are lost on purpose; zero outside of tests.</summary>
    public double DoorbellLoss { get; init; }
}
