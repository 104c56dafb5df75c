namespace CacheEngine.Architecture.Sources;

/// <summary>The rules of text, held against every file of src.</summary>
public sealed class SourceRuleTests
{
    private static readonly IReadOnlyList<SourceFile> Files = [.. Repository.Sources()];

    [Fact]
    public void Gates_AreEnteredInAUsing() => AssertNone(Files.SelectMany(GateRule.Violations));

    [Fact]
    public void Awaits_GoThroughTheSeam() =>
        AssertNone(Files.Where(static file => file.Path.StartsWith("src/CacheEngine/", StringComparison.Ordinal)).SelectMany(AwaitRule.Violations));

    [Fact]
    public void Files_HideNothingAndPostponeNothing() => AssertNone(Files.SelectMany(WordRule.Violations));

    [Fact]
    public void VolatileUses_NameTheirEdge() => AssertNone(Files.SelectMany(static file => EdgeRule.Violations(file)));

    [Fact]
    public void EdgeExemptions_AreAllNeeded()
    {
        HashSet<string> used = [];
        foreach (SourceFile file in Files)
        {
            EdgeRule.Violations(file, used);
        }

        AssertNone(EdgeRule.Exempt.Keys.Except(used).Select(static exemption => $"{exemption} is exempt and need not be"));
    }

    [Fact]
    public void EdgeLabels_AreUniqueAndPaired() => AssertNone(EdgeLabels.Violations(Files));

    private static void AssertNone(IEnumerable<string> violations)
    {
        string all = string.Join('\n', violations);
        Assert.True(all.Length == 0, "Against the rule:\n" + all);
    }
}
