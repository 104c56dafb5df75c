namespace CacheEngine.Core.Tests.Caps;

public class CapSetProperties
{
    [Fact]
    public void Operators_AreTheAlgebraOfSets()
    {
        var random = new Random(20260101);
        for (int round = 0; round < 2_000; round++)
        {
            // Few bits on the second set, so that containment is not only seen refused.
            CapSet left = CapSet.FromBits((uint)random.NextInt64(1L << 32));
            CapSet right = CapSet.FromBits((uint)(random.NextInt64(1L << 32) & random.NextInt64(1L << 32) & random.NextInt64(1L << 32)));
            right = round % 3 == 0 ? CapSet.FromBits(right.Bits & left.Bits) : right;
            HashSet<int> leftBits = Members(left);
            HashSet<int> rightBits = Members(right);

            Assert.Equal(leftBits.Union(rightBits).ToHashSet(), Members(left | right));
            Assert.Equal(leftBits.Intersect(rightBits).ToHashSet(), Members(left & right));
            Assert.Equal(leftBits.Except(rightBits).ToHashSet(), Members(left - right));
            Assert.Equal(leftBits.IsSupersetOf(rightBits), left.Contains(right));
            Assert.Equal(leftBits.Overlaps(rightBits), left.Overlaps(right));
            Assert.Equal(leftBits.SetEquals(rightBits), left == right);
            Assert.Equal(!leftBits.SetEquals(rightBits), left != right);
            Assert.Equal(leftBits.SetEquals(rightBits), left.Equals(right));
            Assert.Equal(leftBits.Count == 0, left.IsEmpty);
        }
    }

    [Fact]
    public void EmptySet_IsInEverySetAndOverlapsNone()
    {
        Assert.True(CapSet.None.IsEmpty);
        Assert.True(CapSet.None.Contains(CapSet.None));
        Assert.True(CapSet.Any.Contains(CapSet.None));
        Assert.False(CapSet.None.Contains(CapSet.Pin));
        Assert.False(CapSet.Any.Overlaps(CapSet.None));
        Assert.Equal(default, CapSet.None);
    }

    private static HashSet<int> Members(CapSet caps) => [.. Enumerable.Range(0, 32).Where(bit => ((caps.Bits >> bit) & 1) == 1)];
}
