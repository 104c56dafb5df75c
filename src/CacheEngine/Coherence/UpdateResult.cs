namespace CacheEngine;

/// <summary>The outcome of a write that expects a version.</summary>
public readonly record struct UpdateResult
{
    internal UpdateResult(bool isUpdated, long version)
    {
        IsUpdated = isUpdated;
        Version = version;
    }

    /// <summary>Whether the value was written. If not, nothing was changed and nobody disturbed.</summary>
    public bool IsUpdated { get; }

    /// <summary>The version that stands: of the value written, or the one that was found instead of the expected one.</summary>
    public long Version { get; }
}
