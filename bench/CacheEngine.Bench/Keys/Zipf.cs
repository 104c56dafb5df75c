namespace CacheEngine.Bench.Keys;

/// <summary>Draws ranks from 0 on, where rank r comes up in proportion to 1 / (r + 1)^exponent. Immutable; compiled into load as well.</summary>
internal sealed class Zipf
{
    private readonly double[] _cumulative;

    public Zipf(int count, double exponent)
    {
        _cumulative = new double[count];
        double sum = 0;
        for (int rank = 0; rank < count; rank++)
        {
            sum += Math.Pow(rank + 1, -exponent);
            _cumulative[rank] = sum;
        }
    }

    public int Draw(Random random) => RankOf(random.NextDouble());

    /// <summary>The rank that an even draw from 0 to 1 falls on.</summary>
    public int RankOf(double draw)
    {
        int found = Array.BinarySearch(_cumulative, draw * _cumulative[^1]);
        return Math.Min(found < 0 ? ~found : found, _cumulative.Length - 1);
    }
}
