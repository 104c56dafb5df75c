using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

public class ConflictTableKeepExhaustive
{
    private static readonly CapSet[] HeldSets = Literals.SubsetsOf(Literals.Cap("AxFsxcrwba"));
    private static readonly CapSet[] NeedSets = Literals.SubsetsOf(Literals.Cap("AxFsxcrwba"));
    private static readonly CapSet[] WantedSets = [CapSet.None, Literals.Cap("Fw"), Literals.Cap("Fscr"), Literals.Cap("AxFsxcrwba")];

    [Fact]
    [Rule("P02", "RVK-01")]
    public void Kept_IsHeldAndFitsTheNeed() => ForEach(static (held, _, need, keep) =>
        held.Contains(keep) && ConflictTable.Compatible(keep, need));

    [Fact]
    public void NothingInTheWay_KeepsAllUnlessTheModesDiffer() => ForEach(static (held, _, need, keep) =>
        !ConflictTable.Compatible(held, need) || keep == held || IsChoiceOfSync(held, need));

    [Fact]
    [Rule("CAP-03")]
    public void Kept_IsAllThatItsModeAllows() => ForEach(static (held, wanted, need, keep) =>
    {
        // Whatever bit is asked back besides would conflict with the need; or it belongs to mixed mode, and the holder does not want to write.
        bool maySync = IsChoiceOfSync(held, need) && !(held & wanted).Contains(CapSet.FileWrite);
        return Literals.BitsOf(held - keep).All(bit =>
            !ConflictTable.Compatible(keep | bit, need) || (maySync && Literals.Cap("Fwa").Contains(bit)));
    });

    [Fact]
    public void Pin_IsNeverAskedBack() => ForEach(static (held, wanted, need, _) =>
        ConflictTable.Keep(held | Literals.Cap("pFl"), wanted, need | Literals.Cap("pFl")).Contains(Literals.Cap("pFl")));

    private static bool IsChoiceOfSync(CapSet held, CapSet need) =>
        need.Contains(CapSet.FileRead) && Literals.Cap("AxFr").Contains(need) && held.Overlaps(Literals.Cap("Fwa"));

    private static void ForEach(Func<CapSet, CapSet, CapSet, CapSet, bool> claim)
    {
        foreach (CapSet held in HeldSets)
        {
            foreach (CapSet wanted in WantedSets)
            {
                foreach (CapSet need in NeedSets)
                {
                    CapSet keep = ConflictTable.Keep(held, wanted, need);
                    if (!claim(held, wanted, need, keep))
                    {
                        Assert.Fail($"held {held}, wanted {wanted}, need {need}: keeps {keep}");
                    }
                }
            }
        }
    }
}
