using CacheEngine.Inodes;

namespace CacheEngine.Core.Tests.Inodes;

[Rule("T84", "T30")]
public class AcquireDecisionExhaustive
{
    private static readonly CapSet[] Sets = Literals.SubsetsOf(Literals.Cap("Fcrwb"));

    [Fact]
    public void Need_IsGrantedOnlyFromWhatIsIssued() => ForEach(static c =>
    {
        bool granted = c.Decision.Outcome == AcquireOutcome.Granted;
        return granted
            ? c.Issued.Contains(c.Need) && c.Issued.Contains(c.Decision.Got) && c.Decision.Got.Contains(c.Need)
            : c.Decision.Got.IsEmpty;
    });

    [Fact]
    public void BitsBeingRevoked_AreNeverTaken() => ForEach(static c => !c.Decision.Got.Overlaps(c.Revoking));

    [Fact]
    public void Want_IsTakenAllOrNotAtAll() => ForEach(static c =>
    {
        bool buffersGo = c.Revoking.Contains(CapSet.FileBuffer);
        bool all = c.Issued.Contains(c.Want) && !(buffersGo && c.Want.Contains(CapSet.FileWrite));
        return c.Decision.Outcome != AcquireOutcome.Granted || c.Decision.Got == (all ? c.Need | c.Want : c.Need);
    });

    [Fact]
    public void HeldNeed_WaitsOnlyAsAWriterWhoseBuffersAreRevoked() => ForEach(static c =>
    {
        bool overtakes = c.Need.Contains(CapSet.FileWrite) && c.Revoking.Contains(CapSet.FileBuffer);
        return !c.Issued.Contains(c.Need) || c.Decision.Outcome == (overtakes ? AcquireOutcome.Wait : AcquireOutcome.Granted);
    });

    [Fact]
    public void MissingNeed_IsAskedForUnlessItHasBeen() => ForEach(static c =>
        c.Issued.Contains(c.Need) || c.Decision.Outcome == (c.Asked.Contains(c.Need) ? AcquireOutcome.Wait : AcquireOutcome.Ask));

    private static void ForEach(Func<Case, bool> claim)
    {
        foreach (CapSet implemented in Sets)
        {
            foreach (CapSet issued in Sets.Where(set => implemented.Contains(set)))
            {
                foreach (CapSet asked in Sets)
                {
                    foreach (CapSet need in Sets)
                    {
                        foreach (CapSet want in Sets)
                        {
                            CapSet revoking = implemented - issued;
                            var c = new Case(issued, revoking, asked, need, want, AcquireDecision.Decide(issued, revoking, asked, need, want));
                            if (!claim(c))
                            {
                                Assert.Fail($"{c}");
                            }
                        }
                    }
                }
            }
        }
    }

    private readonly record struct Case(CapSet Issued, CapSet Revoking, CapSet Asked, CapSet Need, CapSet Want, AcquireDecision Decision);
}
