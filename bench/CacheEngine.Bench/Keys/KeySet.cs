namespace CacheEngine.Bench.Keys;

/// <summary>Which keys are looked up how often.</summary>
public enum Distribution
{
    /// <summary>A thousand keys, each as often as any other.</summary>
    Hot,

    /// <summary>All keys, by a Zipf law of exponent 0.99.</summary>
    Zipf,
}

/// <summary>The keys of a bench: those that are stored, and equal ones in other instances that are looked up.</summary>
internal sealed class KeySet<TKey>(TKey[] stored, TKey[] probes)
{
    private const int HotCount = 1_000;
    private const double Exponent = 0.99;

    public ReadOnlySpan<TKey> Stored => stored;

    /// <summary>A sequence of lookups, drawn in advance so that drawing is not measured. Popularity has nothing to do with the order of insertion.</summary>
    public TKey[] Draw(Distribution distribution, int length)
    {
        var random = new Random(17);
        int[] byRank = [.. Enumerable.Range(0, probes.Length)];
        random.Shuffle(byRank);
        var zipf = new Zipf(probes.Length, Exponent);
        var sequence = new TKey[length];
        foreach (ref TKey key in sequence.AsSpan())
        {
            int rank = distribution == Distribution.Hot ? random.Next(HotCount) : zipf.Draw(random);
            key = probes[byRank[rank]];
        }

        return sequence;
    }
}
