using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Store;

/// <summary>A session's row, locked, and what a transition has made of it.</summary>
internal sealed class SessionRow
{
    public required SessionId Id { get; init; }

    public required EngineId Engine { get; init; }

    public required string Region { get; init; }

    public required string Bell { get; init; }

    public required short State { get; init; }

    /// <summary>When this process first saw the number of renewals that the row has, on its own clock: no renewal that was counted was sent later.</summary>
    public required long LastRenewedAt { get; init; }

    public MessageSeq LastOwed { get; set; }

    public MessageSeq TookIn { get; set; }

    /// <summary>For the session that speaks.</summary>
    public ReceivedWindow Received;

    public bool IsOwedMore { get; set; }

    public SessionView View => new(LastRenewedAt, TookIn, State >= SessionRowState.Over, State == SessionRowState.Closed);
}

/// <summary>A record's row, locked.</summary>
/// <param name="Record">What the arbiter works on.</param>
/// <param name="Region">Its region.</param>
/// <param name="Source">The terms of its region.</param>
/// <param name="Stored">The bytes that the row has now.</param>
/// <param name="EndsAtUtc">The end of the value as the row has it, on the database's clock.</param>
internal sealed record RecordRow(RecordState Record, string Region, SourceTerms Source, byte[] Stored, long EndsAtUtc)
{
    /// <summary>The end of the value on this process's clock, as it was read; a change shows as a difference.</summary>
    public long EndsAt { get; } = Record.ExpiresAt;

    public long Version { get; } = Record.Version;
}

/// <summary>The right to buffer a record was taken from a session without its word.</summary>
/// <param name="Record">The record.</param>
/// <param name="Session">The session.</param>
/// <param name="KeptVersion">The version of the last value that came.</param>
/// <param name="Version">The version that this value has from now on.</param>
/// <param name="Value">The value's bytes; none: null.</param>
internal sealed record TakenBuffer(InodeId Record, SessionId Session, long KeptVersion, long Version, byte[]? Value);
