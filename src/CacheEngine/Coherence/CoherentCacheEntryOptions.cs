namespace CacheEngine;

/// <summary>What is asked for one entry. Immutable: one object may serve any number of calls.</summary>
public sealed class CoherentCacheEntryOptions
{
    private readonly TimeSpan? _expiration;

    /// <summary>How long the value lives from when it is stored, or with <see cref="ValuePlacement.Source"/> from when it was loaded. Then it is absent, or is
    /// loaded again. Null: as the cache's options say. At most a hundred years; milliseconds count.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is not positive, or too long.</exception>
    public TimeSpan? Expiration
    {
        get => _expiration;
        init
        {
            Validate(value, nameof(Expiration));
            _expiration = value;
        }
    }

    internal static void Validate(TimeSpan? expiration, string name)
    {
        if (expiration is { } span && (span <= TimeSpan.Zero || span > TimeSpan.FromDays(36_525)))
        {
            throw new ArgumentOutOfRangeException(name, expiration, $"{name} must be positive and at most a hundred years, or null for none.");
        }
    }
}
