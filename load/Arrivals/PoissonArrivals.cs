namespace CacheEngine.Load.Arrivals;

/// <summary>
/// When operations are to begin: independent of each other and of how the system does, so the gaps between them are exponential. The same seed
/// gives the same times.
/// </summary>
internal sealed class PoissonArrivals(double ratePerSecond, TimeSpan duration, int seed)
{
    public TimeSpan Duration => duration;

    /// <summary>The intended starts, counted from the beginning of the run, earliest first.</summary>
    public IEnumerable<TimeSpan> Times()
    {
        var random = new Random(seed);
        double seconds = 0;
        while (true)
        {
            // One minus the draw is never zero, so neither is the logarithm infinite.
            seconds -= Math.Log(1 - random.NextDouble()) / ratePerSecond;
            if (seconds >= duration.TotalSeconds)
            {
                yield break;
            }

            yield return TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond));
        }
    }
}
