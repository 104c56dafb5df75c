using CacheEngine.Arbitration;
using CacheEngine.Flushing;

namespace CacheEngine.Core.Tests.Arbitration;

public class FlushDecisionExhaustive
{
    private static readonly CapSet[] Sets = Literals.SubsetsOf(Literals.Cap("Fcrwb"));

    [Fact]
    [Rule("T01", "P15", "P16")]
    public void ARecord_IsRepeatedExactlyWhenItHasHadItsTurn_WhateverElseHasHappened() => ForEach(static c =>
        (c.Step == FlushStep.Repeat) == (c.Tid <= c.Applied));

    [Fact]
    [Rule("P15", "P23")]
    public void ARecord_ThatWasApplied_IsNeverAppliedAgain() => ForEach(static c =>
        c.Step != FlushStep.Apply || c.Again(c.Tid, c.Version) == FlushStep.Repeat);

    [Fact]
    [Rule("P11", "T14")]
    public void ARecord_IsAppliedOnlyUnderARightToBufferThatWasNotGivenBack() => ForEach(static c =>
        c.Step != FlushStep.Apply || (c.Holds && c.Implemented.Contains(CapSet.FileBuffer)));

    [Fact]
    [Rule("P09")]
    public void AVersion_NeverGoesBack_NorBeyondTheGrant() => ForEach(static c =>
        c.Step != FlushStep.Apply || (c.Version > c.Current && c.Version <= c.Limit));

    [Fact]
    [Rule("P14")]
    public void ARecord_ThatIsNew_UnderItsRight_WithItsVersion_IsNotRefused() => ForEach(static c =>
        c.Step != FlushStep.Refuse
        || !(c.Holds && c.Implemented.Contains(CapSet.FileBuffer) && c.Version > c.Current && c.Version <= c.Limit));

    private static void ForEach(Func<Case, bool> claim)
    {
        int cases = 0;
        for (int numbers = 0; numbers < 4 * 4 * 4 * 4 * 4; numbers++)
        {
            foreach (CapSet implemented in Sets)
            {
                foreach (bool holds in new[] { false, true })
                {
                    var c = new Case(
                        new FlushTid((ulong)(numbers & 3) + 1),
                        new FlushTid((ulong)((numbers >> 2) & 3)),
                        holds,
                        implemented,
                        Version: (numbers >> 4) & 3,
                        Current: (numbers >> 6) & 3,
                        Limit: (numbers >> 8) & 3);
                    cases++;
                    if (!claim(c))
                    {
                        Assert.Fail($"{c}");
                    }
                }
            }
        }

        Assert.Equal(4 * 4 * 4 * 4 * 4 * 16 * 2, cases);
    }

    private readonly record struct Case(FlushTid Tid, FlushTid Applied, bool Holds, CapSet Implemented, long Version, long Current, long Limit)
    {
        public FlushStep Step => FlushDecision.Decide(Tid, Applied, Holds, Implemented, Version, Current, Limit);

        /// <summary>The same record once more, after what it did.</summary>
        public FlushStep Again(FlushTid applied, long current) => FlushDecision.Decide(Tid, applied, Holds, Implemented, Version, current, Limit);
    }
}
