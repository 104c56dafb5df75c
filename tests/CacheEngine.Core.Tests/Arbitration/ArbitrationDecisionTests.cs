using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

public class ArbitrationDecisionTests
{
    [Theory]
    [Rule("CAP-02", "CAP-03", "P02", "T84")]
    [InlineData(nameof(RequestKind.Acquire), "Frw", "Fsxcb", "-", "pFsxcrwb")] // alone: everything it wants
    [InlineData(nameof(RequestKind.Acquire), "Fr", "Fsc", "pFscr", "pFscr")]
    [InlineData(nameof(RequestKind.Acquire), "Fr", "Fsc", "pFrw", "pFr")] // the want does not fit: the need alone
    [InlineData(nameof(RequestKind.Acquire), "Fr", "Fscwb", "pFscr", "pFr")] // all or none
    [InlineData(nameof(RequestKind.Acquire), "Fscr", "Fscr", "pFrw", null)]
    [InlineData(nameof(RequestKind.Load), "Fscr", "pFscr", "pFscr", "pFscr")]
    [InlineData(nameof(RequestKind.Load), "Fsxcrw", "pFscr", "p", "pFsxcrw")]
    [InlineData(nameof(RequestKind.Load), "Fsxcrw", "pFscr", "pFs", null)]
    [InlineData(nameof(RequestKind.Write), "Fsxcrw", "pFscr", "p", "pFscr")] // applied: it may serve what it wrote, no more
    [InlineData(nameof(RequestKind.Write), "Fsxcrw", "pFscr", "pFscr", null)]
    [InlineData(nameof(RequestKind.Remove), "Fsxcrw", "pFscr", "-", "pFscr")]
    [InlineData(nameof(RequestKind.Remove), "Fsxcrw", "pFscr", "Fr", null)]
    public void Request_IsServedWhenItsNeedFits(string kind, string need, string want, string others, string? granted)
    {
        ArbitrationDecision decision = ArbitrationDecision.Decide(
            Enum.Parse<RequestKind>(kind), Literals.Cap(need), Literals.Cap(want), Literals.Cap(others));

        ArbitrationDecision expected = granted is null
            ? new ArbitrationDecision(ArbitrationOutcome.Wait, CapSet.None)
            : new ArbitrationDecision(ArbitrationOutcome.Grant, Literals.Cap(granted));
        Assert.Equal(expected, decision);
    }

    [Fact]
    [Rule("P02", "CAP-01")]
    public void Grant_NeverConflictsWithOthersAndHoldsTheNeed()
    {
        CapSet[] sets = Literals.SubsetsOf(Literals.Cap("AxFcrwb"));
        foreach (CapSet need in sets)
        {
            foreach (CapSet want in sets)
            {
                foreach (CapSet others in sets)
                {
                    ArbitrationDecision decision = ArbitrationDecision.Decide(RequestKind.Acquire, need, want, others);
                    bool holds = decision.Outcome == ArbitrationOutcome.Grant
                        ? decision.Granted.Contains(need | CapSet.Pin) && ConflictTable.Compatible(decision.Granted, others)
                        : !ConflictTable.Compatible(need, others) && decision.Granted.IsEmpty;
                    if (!holds)
                    {
                        Assert.Fail($"need {need}, want {want}, others {others}: {decision}");
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(nameof(RequestKind.Acquire), "Fscr", "pFsxcrw", false, true)]
    [InlineData(nameof(RequestKind.Acquire), "Fr", "pFx", false, true)]
    [InlineData(nameof(RequestKind.Acquire), "Fscr", "pFsxcrw", true, false)] // there is a value
    [InlineData(nameof(RequestKind.Acquire), "Fscr", "pFscr", false, false)] // nobody makes one
    [InlineData(nameof(RequestKind.Acquire), "Frw", "pFsxcrw", false, false)] // not a reader
    [InlineData(nameof(RequestKind.Load), "Fscr", "pFsxcrw", false, false)]
    [InlineData(nameof(RequestKind.Write), "Fscr", "pFsxcrw", false, false)]
    [InlineData(nameof(RequestKind.Remove), "Fscr", "pFsxcrw", false, false)]
    public void Reader_IsToldAbsentWhileAnotherMakesTheFirstValue(string kind, string need, string othersIssued, bool hasValue, bool absent) =>
        Assert.Equal(
            absent,
            ArbitrationDecision.AnswersAbsent(Enum.Parse<RequestKind>(kind), Literals.Cap(need), Literals.Cap(othersIssued), hasValue));
}
