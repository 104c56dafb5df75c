using CacheEngine.Bench.Keys;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests.Scenarios;

/// <summary>What an arrival's operation chooses: which node, which key.</summary>
public sealed class ChoiceTests
{
    [Fact]
    public void Draws_OfOneArrival_AreTheSame()
    {
        Assert.Equal(Shares(seed: 1, arrival: 5), Shares(seed: 1, arrival: 5));
        Assert.NotEqual(Shares(seed: 1, arrival: 5), Shares(seed: 1, arrival: 6));
        Assert.NotEqual(Shares(seed: 1, arrival: 5), Shares(seed: 2, arrival: 5));
    }

    [Fact]
    public void Draws_OfManyArrivals_AreEven()
    {
        int[] counts = new int[10];
        for (int arrival = 0; arrival < 100_000; arrival++)
        {
            counts[new Draws(1, arrival).Below(counts.Length)]++;
        }

        Assert.All(counts, static count => Assert.InRange(count, 9_500, 10_500));
    }

    [Fact]
    public void Zipf_TheFirstRankIsTwiceTheSecond()
    {
        var zipf = new Zipf(1_000, exponent: 0.99);
        int[] counts = new int[1_000];
        for (int arrival = 0; arrival < 200_000; arrival++)
        {
            counts[zipf.RankOf(new Draws(1, arrival).Share())]++;
        }

        Assert.InRange(counts[0] / (double)counts[1], 1.9, 2.1);
        Assert.Equal((0, 999), (zipf.RankOf(0), zipf.RankOf(Math.BitDecrement(1.0))));
    }

    [Fact]
    public void WriterTurns_AKeyThatIsTaken_IsPassedOver()
    {
        var turns = new WriterTurns(keys: 3);
        Assert.Equal((2, 0), (turns.Take(2), turns.Take(2)));
        turns.Release(2);
        Assert.Equal(2, turns.Take(2));
        Assert.Equal((1, 2, 1), (turns.Next(2), turns.Next(2), turns.Next(0)));
    }

    private static double[] Shares(int seed, long arrival)
    {
        var draws = new Draws(seed, arrival);
        return [draws.Share(), draws.Share(), draws.Share()];
    }
}
