namespace CacheEngine.Bench.Ratios;

/// <summary>The middle one; a few disturbed rounds do not move it.</summary>
internal static class Median
{
    /// <summary>Sorts <paramref name="values"/>.</summary>
    public static double Of(Span<long> values)
    {
        values.Sort();
        return values[values.Length / 2];
    }

    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
