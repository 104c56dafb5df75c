namespace CacheEngine.Flushing;

/// <summary>
/// How large a value a node may buffer: asked for before it is needed, given in steps, never above a ceiling.
/// </summary>
/// <remarks>The shape is CephFS's max size: the authority gives twice what is used, the holder asks when half of it is.</remarks>
internal readonly record struct SizeQuota
{
    /// <summary>The largest size that is told apart; twice of it does not overflow.</summary>
    public const long MaxBytes = long.MaxValue / 4;

    /// <param name="stepBytes">Limits are multiples of it.</param>
    /// <param name="ceilingBytes">The largest limit.</param>
    public SizeQuota(long stepBytes, long ceilingBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stepBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(ceilingBytes, stepBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ceilingBytes, MaxBytes);
        StepBytes = stepBytes;
        CeilingBytes = ceilingBytes;
    }

    /// <summary>Limits are multiples of it.</summary>
    public long StepBytes { get; }

    /// <summary>The largest limit.</summary>
    public long CeilingBytes { get; }

    /// <summary>The limit for a writer whose value has a size and who wishes for another: room to double, in whole steps.</summary>
    public long Limit(long size, long wanted)
    {
        long basis = Math.Min(Math.Max(size, wanted), CeilingBytes);
        long doubled = (basis + 1) * 2;
        long steps = ((doubled - 1) / StepBytes) + 1;
        return Math.Min(Math.Max(steps, 1) * StepBytes, CeilingBytes);
    }

    /// <summary>Whether a writer asks for more now: half of its limit is used, and it has not asked since that became so.</summary>
    /// <param name="size">The size that it has reached.</param>
    /// <param name="reported">The size that it told the authority last.</param>
    /// <param name="limit">Its limit.</param>
    public static bool AsksForMore(long size, long reported, long limit) => size * 2 >= limit && reported * 2 < limit;
}
