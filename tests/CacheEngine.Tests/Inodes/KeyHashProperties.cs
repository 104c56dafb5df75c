using System.Numerics;
using System.Text;
using CacheEngine.Inodes;

namespace CacheEngine.Tests.Inodes;

public sealed class KeyHashProperties
{
    private static ulong[] Seeds { get; } = [0, 1, 0x9E3779B97F4A7C15, ulong.MaxValue];

    [Fact]
    public void OfBytes_EveryLengthTo100_DiffersFromItsNeighbours()
    {
        foreach (ulong seed in Seeds)
        {
            // All zeros: only the length tells them apart. And one run of different bytes: only the last byte does.
            byte[] zeros = new byte[101];
            byte[] rising = [.. Enumerable.Range(1, 101).Select(i => (byte)i)];
            foreach (byte[] bytes in new[] { zeros, rising })
            {
                ulong[] hashes = [.. Enumerable.Range(0, 101).Select(length => KeyHash.OfBytes(bytes.AsSpan(0, length), seed))];
                Assert.Equal(hashes.Length, hashes.Distinct().Count());
            }
        }
    }

    [Fact]
    public void OfBytes_AnyOneBitOfAnyLength_ChangesTheHash()
    {
        foreach (ulong seed in Seeds)
        {
            for (int length = 1; length <= 100; length++)
            {
                byte[] bytes = new byte[length];
                new Random(length).NextBytes(bytes);
                ulong before = KeyHash.OfBytes(bytes, seed);
                for (int bit = 0; bit < length * 8; bit++)
                {
                    bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                    ulong after = KeyHash.OfBytes(bytes, seed);
                    bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                    Assert.True(before != after, $"length {length}, bit {bit}, seed {seed:x}");
                }
            }
        }
    }

    [Fact]
    public void Hash_AnotherSeed_IsAnotherHash()
    {
        byte[] bytes = Encoding.UTF8.GetBytes("a key of more than sixteen bytes");
        for (int length = 0; length <= bytes.Length; length++)
        {
            Assert.Equal(Seeds.Length, Seeds.Select(seed => KeyHash.OfBytes(bytes.AsSpan(0, length), seed)).Distinct().Count());
        }

        for (ulong value = 0; value < 1_000; value++)
        {
            Assert.Equal(Seeds.Length, Seeds.Select(seed => KeyHash.OfInteger(value, seed)).Distinct().Count());
        }
    }

    [Fact]
    public void OfText_IsOfItsBytes() =>
        Assert.Equal(
            KeyHash.OfBytes(Encoding.Unicode.GetBytes("user:4711"), 42),
            KeyHash.OfText("user:4711", 42));

    [Fact]
    public void OfBytes_OneBitOfTheKey_FlipsAboutHalfOfTheHash()
    {
        double flipped = 0;
        int samples = 0;
        byte[] bytes = Encoding.Unicode.GetBytes("user:1234567");
        ulong before = KeyHash.OfBytes(bytes, 7);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            flipped += BitOperations.PopCount(before ^ KeyHash.OfBytes(bytes, 7));
            samples++;
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.InRange(flipped / samples, 28, 36);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(4_096)]
    [InlineData(1L << 32)]
    public void OfInteger_Sequences_SpreadOverShardsAndBuckets(long stride) =>
        AssertSpread(seed => Enumerable.Range(0, 65_536).Select(i => KeyHash.OfInteger((ulong)(i * stride), seed)));

    [Theory]
    [InlineData("user:{0}")]
    [InlineData("{0}")]
    [InlineData("a/rather/long/path/that/all/the/keys/share/{0}/profile.json")]
    [InlineData("k{0:x8}")]
    public void OfText_SimilarStrings_SpreadOverShardsAndBuckets(string format) =>
        AssertSpread(seed => Enumerable.Range(0, 65_536).Select(i => KeyHash.OfText(string.Format(null, format, i), seed)));

    private static void AssertSpread(Func<ulong, IEnumerable<ulong>> hashes)
    {
        foreach (ulong seed in Seeds)
        {
            int[] shards = new int[64];
            int[] buckets = new int[1_024];
            foreach (ulong hash in hashes(seed))
            {
                shards[InodeTable<long, string>.ShardOf(hash)]++;
                buckets[InodeTable<long, string>.BucketOf(hash, buckets.Length)]++;
            }

            // Chi-square with n - 1 degrees of freedom has the mean n - 1 and the deviation sqrt(2n): ten deviations are loose, a pattern is far
            // outside them.
            Assert.True(ChiSquare(shards) < 63 + (10 * Math.Sqrt(2 * 63)), $"shards, seed {seed:x}: {ChiSquare(shards)}");
            Assert.True(ChiSquare(buckets) < 1_023 + (10 * Math.Sqrt(2 * 1_023)), $"buckets, seed {seed:x}: {ChiSquare(buckets)}");
        }
    }

    private static double ChiSquare(int[] counts)
    {
        double expected = (double)counts.Sum() / counts.Length;
        return counts.Sum(count => (count - expected) * (count - expected) / expected);
    }
}
