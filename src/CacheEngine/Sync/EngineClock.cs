using System.Runtime.CompilerServices;

namespace CacheEngine.Sync;

/// <summary>
/// Milliseconds of a monotonic clock: the one clock of send stamps, deadlines and expiry.
/// </summary>
/// <remarks>
/// <see cref="Environment.TickCount64"/> for the system's own time provider (a few nanoseconds, read inside every hit), else the given provider's
/// timestamp, behind one predictable branch.
/// </remarks>
internal sealed class EngineClock
{
    private readonly TimeProvider? _virtual;

    public EngineClock(TimeProvider provider)
    {
        Provider = provider;
        _virtual = ReferenceEquals(provider, TimeProvider.System) ? null : provider;
    }

    public TimeProvider Provider { get; }

    public long Now
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _virtual is null ? Environment.TickCount64 : ReadVirtual(_virtual);
    }

    /// <summary>The wall clock, for the suspend detector only.</summary>
    public long WallNow => Provider.GetUtcNow().ToUnixTimeMilliseconds();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ReadVirtual(TimeProvider provider) =>
        (long)((Int128)provider.GetTimestamp() * 1000 / provider.TimestampFrequency);
}
