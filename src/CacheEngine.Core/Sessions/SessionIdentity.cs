namespace CacheEngine.Sessions;

/// <summary>The identity of one session at its authority, never reused.</summary>
internal readonly record struct SessionId(long Value);

/// <summary>One life of an engine: drawn at random when it starts, kept over its sessions. Its flush tids are numbered within it.</summary>
internal readonly record struct EngineId(UInt128 Value);

/// <summary>The epoch of a node's rights. Raising it voids every right of an older one at once, without touching them.</summary>
internal readonly record struct SessionGeneration(uint Value)
{
    public SessionGeneration Next() => new(checked(Value + 1));
}

/// <summary>Numbers a session's renewals, so that each answer finds the moment its question was asked. 64 bits, never wraps.</summary>
internal readonly record struct RenewSeq(ulong Value);

/// <summary>Numbers the messages of one direction of a session, from 1. 64 bits, never wraps.</summary>
internal readonly record struct MessageSeq(ulong Value)
{
    public static bool operator >=(MessageSeq left, MessageSeq right) => left.Value >= right.Value;

    public static bool operator <=(MessageSeq left, MessageSeq right) => left.Value <= right.Value;

    public MessageSeq Next() => new(Value + 1);
}
