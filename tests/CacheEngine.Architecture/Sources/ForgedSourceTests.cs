namespace CacheEngine.Architecture.Sources;

/// <summary>The rules of text can fail: each finds the fault in a forged snippet and lets its correct twin pass.</summary>
public sealed class ForgedSourceTests
{
    [Theory]
    [InlineData("using (Inode.Hold hold = inode.Enter())\n{\n}", true)]
    [InlineData("using Inode.Hold hold = Inode!.Enter();", true)]
    [InlineData("using var hold = inode.Enter();", true)]
    [InlineData("// inode.Enter()\nstring s = \"inode.Enter()\";", true)]
    [InlineData("_gate.Enter(LockLevel.Leaf);", true)]
    [InlineData("Inode.Hold hold = inode.Enter();", false)]
    [InlineData("inode.Enter().Dispose();", false)]
    [InlineData("bool has = inode.Enter().HasCap;", false)]
    [InlineData("using (Show(inode.Enter()))\n{\n}", false)]
    [InlineData("using (Other other = Make())\n{\n    var hold = inode.Enter();\n}", false)]
    public void GateRule_WantsAUsing(string code, bool isFine) => AssertFine(isFine, GateRule.Violations(Forge(code)));

    [Theory]
    [InlineData("await a.ConfigureAwait(EngineAwait.Captured);", true)]
    [InlineData("var x = c ? await a(1, b => b).ConfigureAwait(EngineAwait.Captured) : await d.ConfigureAwait(EngineAwait.Captured);", true)]
    [InlineData("await using var x = y.ConfigureAwait(EngineAwait.Captured);", true)]
    [InlineData("await foreach (var x in y().ConfigureAwait(EngineAwait.Captured))\n{\n}", true)]
    [InlineData("// await a;\nstring s = \"await a;\";", true)]
    [InlineData("await a;", false)]
    [InlineData("await a.ConfigureAwait(false);", false)]
    [InlineData("await a(b.ConfigureAwait(EngineAwait.Captured));", false)]
    [InlineData("await a; c.ConfigureAwait(EngineAwait.Captured);", false)]
    [InlineData("var x = c ? await a : await d.ConfigureAwait(EngineAwait.Captured);", false)]
    [InlineData("await using var x = y;\nz.ConfigureAwait(EngineAwait.Captured);", false)]
    [InlineData("await using (y)\n{\n    z.ConfigureAwait(EngineAwait.Captured);\n}", false)]
    [InlineData("await foreach (var x in y())\n{\n    z.ConfigureAwait(EngineAwait.Captured);\n}", false)]
    public void AwaitRule_WantsTheSeam(string code, bool isFine) => AssertFine(isFine, AwaitRule.Violations(Forge(code)));

    [Theory]
    [InlineData("internal sealed class A;\n// A partial answer, and what a region is.", true)]
    [InlineData("internal partial class A\n{\n    [GeneratedRegex(X)]\n    private static partial Regex B();\n}", true)]
    [InlineData("#region A\n#endregion", false)]
    [InlineData("internal sealed partial class A;", false)]
    [InlineData("// TODO: later", false)]
    public void WordRule_FindsWhatHidesOrPostpones(string code, bool isFine) => AssertFine(isFine, WordRule.Violations(Forge(code)));

    [Theory]
    [InlineData("// Edge A-1 (acquire; other end: A-2): why.\nVolatile.Read(ref _a);", true)]
    [InlineData("/// <summary>The read of edge A-1.</summary>\n[Inline]\npublic int A()\n{\n" + TwelveLines + "    return Volatile.Read(ref _a);\n}", true)]
    [InlineData("long next = Interlocked.Increment(ref _lastTicket);", true)]
    [InlineData("// Volatile.Read(ref _a)", true)]
    [InlineData("Volatile.Read(ref _a);", false)]
    [InlineData("// A comment about something else.\nInterlocked.Exchange(ref _a, 1);", false)]
    [InlineData("Interlocked.Exchange(ref _lastTicket, 1);", false)]
    [InlineData("public int A()\n{\n    // Edge A-1 (acquire; other end: A-2): why.\n" + TwelveLines + "    return Volatile.Read(ref _a);\n}", false)]
    [InlineData("// Edge A-1 (acquire; other end: A-2): why.\npublic int B => Volatile.Read(ref _b);\n\npublic int A => Volatile.Read(ref _a);", false)]
    public void EdgeRule_WantsALabel(string code, bool isFine) =>
        AssertFine(isFine, EdgeRule.Violations(Forge("    " + code.Replace("\n", "\n    "))));

    [Theory]
    [InlineData("// Edge A-1 (acquire; other end: A-2): why.\n// Edge A-2 (release; other ends: A-1, A-3).\n// Edge A-3 (acquire; other end: A-2), see edge A-1", true)]
    [InlineData("// Edge A-1 (full fence; other end: A-1): each is the other's.", true)]
    [InlineData("// Edge A-1 (acquire; other end: A-2): why.", false)]
    [InlineData("// Edge A-1 (acquire; other end: A-1).\n// Edge A-1 (acquire; other end: A-1).", false)]
    [InlineData("// Edge A-1 (acquire; other end: A-2).\n// Edge A-2 (release; other end: A-2).", false)]
    [InlineData("// Edge A-1 (acquire).", false)]
    [InlineData("// See edge A-9.", false)]
    public void EdgeLabels_WantBothEnds(string code, bool isFine) => AssertFine(isFine, EdgeLabels.Violations([Forge(code)]));

    private const string TwelveLines = "    A();\n    A();\n    A();\n    A();\n    A();\n    A();\n    A();\n    A();\n    A();\n    A();\n    A();\n    A();\n";

    private static SourceFile Forge(string code) => new("src/CacheEngine/Forged.cs", code);

    private static void AssertFine(bool isFine, IEnumerable<string> violations)
    {
        if (isFine)
        {
            Assert.Empty(violations);
        }
        else
        {
            Assert.NotEmpty(violations);
        }
    }
}
