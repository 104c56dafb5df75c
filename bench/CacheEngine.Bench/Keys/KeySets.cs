using System.Globalization;

namespace CacheEngine.Bench.Keys;

/// <summary>The two key sets that everything is measured with.</summary>
internal static class KeySets
{
    public const int Count = 100_000;

    /// <summary>Distinct numbers without a pattern.</summary>
    public static KeySet<long> Numbers()
    {
        var random = new Random(42);
        var numbers = new HashSet<long>(Count);
        while (numbers.Count < Count)
        {
            numbers.Add(random.NextInt64());
        }

        return new KeySet<long>([.. numbers], [.. numbers]);
    }

    /// <summary>Texts of 26 characters that differ near their end.</summary>
    public static KeySet<string> Texts()
    {
        static string Text(int id) => string.Create(CultureInfo.InvariantCulture, $"customer:{id:D17}");
        return new KeySet<string>([.. Enumerable.Range(0, Count).Select(Text)], [.. Enumerable.Range(0, Count).Select(Text)]);
    }
}
