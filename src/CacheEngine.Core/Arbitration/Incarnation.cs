namespace CacheEngine.Arbitration;

/// <summary>
/// One life of an authority's memory: changes whenever the authority may have forgotten something, and only grows.
/// </summary>
/// <remarks>
/// Versions and fences are numbers of the form (ordinal, counter), so that one given after something was forgotten is greater than all that were given
/// before. The counter may run into the ordinal: the next incarnation is ahead all the same as long as one object is given fewer than
/// <see cref="PerMillisecond"/> numbers per millisecond.
/// </remarks>
internal readonly record struct Incarnation(long Ordinal)
{
    private const int CounterBits = 18;

    /// <summary>How many numbers one object may be given per millisecond.</summary>
    public const long PerMillisecond = 1 << CounterBits;

    /// <summary>The largest ordinal; the year 3084.</summary>
    public const long MaxOrdinal = (1L << (63 - CounterBits)) - 1;

    /// <summary>The incarnation after this one. Zero stands for none known: then the wall clock alone makes it greater than those forgotten.</summary>
    /// <param name="utcMilliseconds">The wall clock, in milliseconds since 1970. Assumed not to be behind the start of an incarnation that was forgotten.</param>
    public Incarnation Next(long utcMilliseconds) => new(Math.Clamp(utcMilliseconds, Ordinal + 1, MaxOrdinal));

    /// <summary>The number after <paramref name="previous"/>.</summary>
    public long After(long previous) => Math.Max(previous, Ordinal << CounterBits) + 1;
}
