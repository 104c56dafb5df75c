using System.Diagnostics.CodeAnalysis;

namespace CacheEngine;

/// <summary>What is known of a key.</summary>
public enum LookupStatus
{
    /// <summary>Nothing: the value lives at the application's source and is not loaded here.</summary>
    Unknown = 0,

    /// <summary>There is a value.</summary>
    Hit = 1,

    /// <summary>There is no value; as coherently known as a value.</summary>
    Absent = 2,
}

/// <summary>The answer to a lookup: a value, the knowledge that there is none, or neither.</summary>
/// <typeparam name="TValue">The type of the value.</typeparam>
public readonly record struct Lookup<TValue>
{
    internal Lookup(LookupStatus status, TValue? value, long version)
    {
        Status = status;
        Value = value;
        Version = version;
    }

    /// <summary>What is known.</summary>
    public LookupStatus Status { get; }

    /// <summary>The value, if <see cref="IsHit"/>; else the default.</summary>
    public TValue? Value { get; }

    /// <summary>The authority's version of the value or of its absence; grows with every write of the key. Zero if unknown.</summary>
    public long Version { get; }

    /// <summary>Whether there is a value.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsHit => Status == LookupStatus.Hit;
}
