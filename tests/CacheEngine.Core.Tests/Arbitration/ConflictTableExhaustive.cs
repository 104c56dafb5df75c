using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

public class ConflictTableExhaustive
{
    private static readonly CapSet[] DataSets = Literals.SubsetsOf(Literals.Cap("Fsxcrwba"));

    [Fact]
    [Rule("CAP-01", "P02")]
    public void CompatibleSets_BreakNoSentenceOfTheNeverTogetherMatrix() => ForEachPair(static (left, right) =>
        !ConflictTable.Compatible(left, right) || !(BreaksASentence(left, right) || BreaksASentence(right, left)));

    [Fact]
    [Rule("CAP-01", "P02")]
    public void Compatible_IsExactlyTheMatrix() => ForEachPair(static (left, right) =>
    {
        // The matrix is silent about three bits: s caches the version and size like c, a writes like w, x suffers no other like b.
        CapSet all = left | right;
        bool someoneAlone = all.Overlaps(Literals.Cap("Fxb"));
        bool someoneCaches = all.Overlaps(Literals.Cap("Fsc"));
        bool someoneWrites = all.Overlaps(Literals.Cap("Fwa"));
        bool mayMeet = !someoneAlone && !(someoneCaches && someoneWrites);
        return ConflictTable.Compatible(left, right) == (left.IsEmpty || right.IsEmpty || mayMeet);
    });

    [Fact]
    [Rule("CAP-01")]
    public void Compatible_IsSymmetric() => ForEachPair(static (left, right) =>
        ConflictTable.Compatible(left, right) == ConflictTable.Compatible(right, left));

    [Fact]
    [Rule("CAP-01")]
    public void Compatible_IsNotLostByHoldingLess() => ForEachPair(static (left, right) =>
        !ConflictTable.Compatible(left, right) || Literals.BitsOf(left).All(bit => ConflictTable.Compatible(left - bit, right)));

    [Fact]
    [Rule("CAP-01")]
    public void LazyAndPin_AreExempt() => ForEachPair(static (left, right) =>
    {
        CapSet exempt = Literals.Cap("pFl");
        bool plain = ConflictTable.Compatible(left, right);
        return ConflictTable.Compatible(left | exempt, right | exempt) == plain
            && ConflictTable.Compatible(left | exempt, right) == plain
            && ConflictTable.Compatible(exempt, right | exempt);
    });

    [Theory]
    [Rule("CAP-01")]
    [InlineData("Asx")]
    [InlineData("Lsx")]
    [InlineData("Xsx")]
    [InlineData("Fsx")]
    public void ExclusiveBit_SuffersNoOthersSharedOrExclusiveOfItsGroup(string group)
    {
        CapSet[] sets = Literals.SubsetsOf(Literals.Cap(group));
        CapSet exclusive = Literals.Cap($"{group[0]}x");
        CapSet otherGroups = Literals.Cap("AsxLsxXsx") - Literals.Cap(group);
        foreach (CapSet left in sets)
        {
            foreach (CapSet right in sets)
            {
                bool together = !(left.Contains(exclusive) && !right.IsEmpty) && !(right.Contains(exclusive) && !left.IsEmpty);

                Assert.Equal(together, ConflictTable.Compatible(left, right));
                Assert.Equal(together, ConflictTable.Compatible(left | otherGroups, right));
                Assert.Equal(together, ConflictTable.Compatible(left, right | otherGroups));
            }
        }
    }

    /// <summary>CAP-01, sentence by sentence, seen from one side.</summary>
    private static bool BreaksASentence(CapSet mine, CapSet others)
    {
        CapSet all = mine | others;
        bool cachedOrBuffered = all.Overlaps(Literals.Cap("Fcb"));
        bool writesBesideAReaderOrWriter = mine.Contains(CapSet.FileWrite) && others.Overlaps(Literals.Cap("Frw"));
        bool buffersBesideAnyone = mine.Contains(CapSet.FileBuffer) && !others.IsEmpty;
        bool cachesBesideAWriter = mine.Contains(CapSet.FileCache) && others.Overlaps(Literals.Cap("Fwb"));
        bool exclusiveBesideShared = mine.Contains(CapSet.FileExcl) && others.Overlaps(Literals.Cap("Fsx"));
        return (writesBesideAReaderOrWriter && cachedOrBuffered) || buffersBesideAnyone || cachesBesideAWriter || exclusiveBesideShared;
    }

    private static void ForEachPair(Func<CapSet, CapSet, bool> claim)
    {
        foreach (CapSet left in DataSets)
        {
            foreach (CapSet right in DataSets)
            {
                if (!claim(left, right))
                {
                    Assert.Fail($"{left} and {right}");
                }
            }
        }
    }
}
