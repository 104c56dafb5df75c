using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Link;

/// <summary>The terms of a <see cref="PostgreSqlAuthority"/>; all processes that share a database must agree on the first four.</summary>
internal sealed record PostgreSqlAuthorityOptions
{
    /// <summary>How long a right to serve lasts without renewal.</summary>
    public TimeSpan LeaseTerm { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The largest difference of the clock rates of two nodes, as a share.</summary>
    public double ClockDrift { get; init; } = 0.01;

    /// <summary>How coarsely a clock reading may be off.</summary>
    public TimeSpan ClockGranularity { get; init; } = TimeSpan.FromMilliseconds(16);

    /// <summary>After how long a silence a session is over. Null: five lease terms.</summary>
    public TimeSpan? SessionTimeout { get; init; }

    /// <summary>How long a lost doorbell delays anybody at most, while the database answers. Null: an eighth of the lease term.</summary>
    public TimeSpan? PollInterval { get; init; }

    /// <summary>The share of doorbells that are lost on purpose.</summary>
    public double DoorbellLoss { get; init; }

    public LeaseTerms ToTerms() => new(
        (long)LeaseTerm.TotalMilliseconds,
        ClockDrift,
        (long)ClockGranularity.TotalMilliseconds,
        (long)(SessionTimeout ?? (5 * LeaseTerm)).TotalMilliseconds);
}
