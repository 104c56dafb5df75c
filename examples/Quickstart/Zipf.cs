namespace Quickstart;

/// <summary>
/// Popularity as it is found in the wild: the file of rank <c>r</c> is chosen with a weight of <c>1 / r^0.99</c>. Immutable.
/// </summary>
internal sealed class Zipf
{
    private const double Exponent = 0.99;

    private readonly double[] _cumulative;

    public Zipf(int count)
    {
        _cumulative = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += 1 / Math.Pow(i + 1, Exponent);
            _cumulative[i] = sum;
        }
    }

    /// <summary>A rank, from zero on.</summary>
    public int Next(Random random)
    {
        int at = Array.BinarySearch(_cumulative, random.NextDouble() * _cumulative[^1]);
        return Math.Min(at < 0 ? ~at : at + 1, _cumulative.Length - 1);
    }
}
