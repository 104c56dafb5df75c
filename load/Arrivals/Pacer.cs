using System.Diagnostics;

namespace CacheEngine.Load.Arrivals;

/// <summary>Waits on a thread of its own for points in time: asleep while they are far, giving way to others while they are near.</summary>
internal static class Pacer
{
    /// <summary>A microsecond or two: what a thread that wants the core may wait for it.</summary>
    private const int SpinsPerYield = 50;

    /// <summary>A sleep of one millisecond takes a little more.</summary>
    private static readonly long SleepableTicks = Stopwatch.Frequency * 3 / 2_000;

    public static void WaitUntil(long timestamp)
    {
        // Bound: the clock moves.
        while (true)
        {
            long left = timestamp - Stopwatch.GetTimestamp();
            if (left <= 0)
            {
                return;
            }

            if (left > SleepableTicks)
            {
                Thread.Sleep(1);
            }
            else
            {
                Thread.SpinWait(SpinsPerYield);
                Thread.Yield();
            }
        }
    }
}
