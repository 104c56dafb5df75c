namespace CacheEngine.Core.Tests;

/// <summary>Short forms for the values that the tests are written in.</summary>
internal static class Literals
{
    public static CapSet Cap(string text) => CapSet.Parse(text);

    /// <summary>Every subset of a set, the empty one and the set itself included.</summary>
    public static CapSet[] SubsetsOf(CapSet all)
    {
        var subsets = new List<CapSet>();
        for (uint bits = all.Bits; ; bits = (bits - 1) & all.Bits)
        {
            subsets.Add(CapSet.FromBits(bits));
            if (bits == 0)
            {
                return [.. subsets];
            }
        }
    }

    /// <summary>The single bits of a set.</summary>
    public static CapSet[] BitsOf(CapSet all) =>
        [.. Enumerable.Range(0, 32).Select(bit => CapSet.FromBits(1u << bit)).Where(all.Contains)];
}
