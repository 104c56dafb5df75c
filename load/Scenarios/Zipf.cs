namespace CacheEngine.Load.Scenarios;

/// <summary>Popularity as it is found in the wild: rank r, from zero on, is drawn with a weight of 1 / (r + 1)^0.99. Immutable.</summary>
internal sealed class Zipf
{
    private const double Exponent = 0.99;

    private readonly double[] _cumulative;

    public Zipf(int count)
    {
        _cumulative = new double[count];
        double sum = 0;
        for (int rank = 0; rank < count; rank++)
        {
            sum += Math.Pow(rank + 1, -Exponent);
            _cumulative[rank] = sum;
        }
    }

    /// <summary>The rank that an even draw from 0 to 1 falls on.</summary>
    public int RankOf(double draw)
    {
        int found = Array.BinarySearch(_cumulative, draw * _cumulative[^1]);
        return Math.Min(found < 0 ? ~found : found, _cumulative.Length - 1);
    }
}
