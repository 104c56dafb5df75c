using CacheEngine.Inodes;

namespace CacheEngine.Core.Tests.Inodes;

public class CapRefCountsTests
{
    [Theory]
    [InlineData("Fr")]
    [InlineData("Fc")]
    [InlineData("Fw")]
    [InlineData("Fb")]
    public void Bit_IsUsedFromTheFirstTakeToTheLastPut(string text)
    {
        CapSet bit = Literals.Cap(text);
        var refs = default(CapRefCounts);

        refs.Take(bit);
        Assert.Equal(bit, refs.Used);
        refs.Take(bit);
        Assert.Equal(CapSet.None, refs.Put(bit));
        Assert.Equal(bit, refs.Used);
        Assert.Equal(bit, refs.Put(bit));
        Assert.Equal(CapSet.None, refs.Used);
    }

    [Fact]
    public void Put_NamesOnlyTheBitsWhoseLastUseItWas()
    {
        var refs = default(CapRefCounts);
        refs.Take(Literals.Cap("Fcr"));
        refs.Take(Literals.Cap("Frw"));

        Assert.Equal(Literals.Cap("Fc"), refs.Put(Literals.Cap("Fcr")));
        Assert.Equal(Literals.Cap("Frw"), refs.Put(Literals.Cap("Frw")));
    }

    [Fact]
    public void BitsWithoutACounter_AreNeitherUsedNorMissed()
    {
        var refs = default(CapRefCounts);
        CapSet uncounted = CapSet.FromBits(uint.MaxValue) - Literals.Cap("Fcrwb");

        refs.Take(uncounted);

        Assert.Equal(CapSet.None, refs.Used);
        Assert.Equal(CapSet.None, refs.Put(uncounted));
    }

    [Fact]
    public void Put_OfABitWithoutUse_ThrowsAndChangesNothing()
    {
        var refs = default(CapRefCounts);
        refs.Take(Literals.Cap("Frb"));

        foreach (string text in new[] { "Fc", "Fw", "Frw", "Fcb" })
        {
            CapRefCounts before = refs;
            bool refused = false;
            try
            {
                _ = refs.Put(Literals.Cap(text));
            }
            catch (InvalidOperationException)
            {
                refused = true;
            }

            Assert.True(refused);
            Assert.Equal(before, refs);
        }
    }

    [Fact]
    public void RandomUses_AreCountedBitByBit()
    {
        var random = new Random(4);
        CapSet[] sets = Literals.SubsetsOf(Literals.Cap("pFscrwb"));
        var refs = default(CapRefCounts);
        var live = new List<CapSet>();
        for (int step = 0; step < 5_000; step++)
        {
            CapSet before = UsedBy(live);
            if (live.Count > 0 && random.Next(2) == 0)
            {
                int at = random.Next(live.Count);
                CapSet had = live[at];
                live.RemoveAt(at);
                Assert.Equal(before - UsedBy(live), refs.Put(had));
            }
            else
            {
                live.Add(sets[random.Next(sets.Length)]);
                refs.Take(live[^1]);
            }

            Assert.Equal(UsedBy(live), refs.Used);
        }
    }

    private static CapSet UsedBy(List<CapSet> live) => live.Aggregate(CapSet.None, static (used, had) => used | had) & Literals.Cap("Fcrwb");
}
