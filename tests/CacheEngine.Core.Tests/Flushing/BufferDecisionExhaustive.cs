using CacheEngine.Arbitration;
using CacheEngine.Flushing;

namespace CacheEngine.Core.Tests.Flushing;

public class BufferDecisionExhaustive
{
    private static readonly CapSet[] Sets = Literals.SubsetsOf(Rights.Buffered);

    [Fact]
    [Rule("P01", "FLU-01")]
    public void AWrite_IsKeptBackOnlyByWhoeverIsAlone_AndKnowsItsObjectForSure() => ForEach(static c =>
        c.Step == BufferStep.WriteThrough || (c.Issued.Contains(Rights.Buffered) && !c.IsBusy));

    [Fact]
    [Rule("P09")]
    public void AVersion_IsGivenWithinTheGrant() => ForEach(static c => c.Step == BufferStep.WriteThrough || c.Version <= c.Limit);

    [Fact]
    [Rule("FLU-11", "T82")]
    public void NothingBeyondTheLimit_IsKeptBack() => ForEach(static c => c.Step != BufferStep.Buffer || c.Size <= c.MaxSize);

    [Fact]
    [Rule("FLU-11", "T23")]
    public void NobodyWaits_ForWhatTheAuthorityHasRefused_OrForWhatHeMayHave() => ForEach(static c =>
        c.Step != BufferStep.AwaitRoom || (!c.IsFinal && c.Size > c.MaxSize));

    [Fact]
    [Rule("FLU-18")]
    public void AWrite_WithinEverything_IsKeptBack() => ForEach(static c =>
        c.IsBusy || !c.Issued.Contains(Rights.Buffered) || c.Version > c.Limit || c.Size > c.MaxSize || c.Step == BufferStep.Buffer);

    private static void ForEach(Func<Case, bool> claim)
    {
        foreach (CapSet issued in Sets)
        {
            for (int at = 0; at < 4 * 3 * 3 * 3; at++)
            {
                var c = new Case(
                    issued, IsBusy: (at & 1) != 0, IsFinal: (at & 2) != 0, Version: 10 + (at / 4 % 3), Limit: 11, Size: 99 + (at / 12 % 3), MaxSize: 99 + (at / 36 % 3));
                if (!claim(c))
                {
                    Assert.Fail($"{c}: {c.Step}");
                }
            }
        }
    }

    private readonly record struct Case(CapSet Issued, bool IsBusy, bool IsFinal, long Version, long Limit, long Size, long MaxSize)
    {
        public BufferStep Step => BufferDecision.Decide(Issued, IsBusy, Version, Limit, Size, MaxSize, IsFinal);
    }
}
