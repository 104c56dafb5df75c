using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Arbitration;

public class HolderDecisionExhaustive
{
    private const long Now = 10_000;

    private static readonly CapSet[] Sets = Literals.SubsetsOf(Literals.Cap("Fxcrw"));
    private static readonly LeaseTerms Terms = new(1_000, clockDrift: 0.01, granularityMilliseconds: 5, sessionTimeoutMilliseconds: 5_000);

    [Fact]
    [Rule("P02", "P05", "RVK-15")]
    public void EveryHolder_IsLeftAloneExactlyWhenItIsNotInTheWay() => ForEach(static c =>
        (c.Decision.Step == HolderStep.Compatible) == ConflictTable.Compatible(c.Holder.Implemented, c.Need));

    [Fact]
    [Rule("P05", "P06")]
    public void Rights_AreTakenOnlyFromTheSilentAndTheEnded() => ForEach(static c =>
        c.Decision.Step == HolderStep.Compatible || (c.Decision.Step == HolderStep.Take) == (c.Session.HasEnded || c.Session.LastRenewedAt == 0));

    [Fact]
    [Rule("P02")]
    public void WhatIsKept_IsIssuedAndNotInTheWay() => ForEach(static c =>
        c.Holder.Issued.Contains(c.Decision.Keep)
        && (c.Decision.Step == HolderStep.Compatible || ConflictTable.Compatible(c.Decision.Keep, c.Need)));

    [Fact]
    [Rule("P03", "RVK-02")]
    public void AWait_EndsByAnAnswerThatIsOwedOrALoadersOwn() => ForEach(static c =>
        c.Decision.Step != HolderStep.Wait
        || (c.Decision.Keep == c.Holder.Issued && c.Holder.IssueSeq.Value != c.Holder.Seq.Value)
        || (c.IsPatient && c.Holder.Issued.Contains(CapSet.FileExcl)));

    [Fact]
    public void ALoader_IsNeverRevokedByALoad() => ForEach(static c =>
        c.Decision.Step != HolderStep.Revoke || !c.IsPatient || !c.Holder.Issued.Contains(CapSet.FileExcl));

    [Fact]
    public void ARevoke_AsksForSomethingOrForTheAnswerThatWasOvertaken() => ForEach(static c =>
        c.Decision.Step != HolderStep.Revoke || c.Decision.Keep != c.Holder.Issued || c.Holder.IssueSeq.Value == c.Holder.Seq.Value);

    private static void ForEach(Func<Case, bool> claim)
    {
        SessionView[] sessions =
        [
            new(LastRenewedAt: Now, new MessageSeq(9), HasEnded: false),
            new(LastRenewedAt: 0, new MessageSeq(9), HasEnded: false),
            new(LastRenewedAt: Now, new MessageSeq(9), HasEnded: true),
        ];
        foreach (CapSet implemented in Sets)
        {
            foreach (CapSet issued in Sets.Where(set => implemented.Contains(set)))
            {
                foreach (CapSet need in Sets)
                {
                    foreach (SessionView session in sessions)
                    {
                        for (int flags = 0; flags < 8; flags++)
                        {
                            HolderState holder = new()
                            {
                                Issued = issued,
                                Implemented = implemented,
                                Wanted = (flags & 1) != 0 ? CapSet.FileWrite : CapSet.None,
                                Seq = new CapSeq(5),
                                IssueSeq = new IssueSeq((flags & 2) != 0 ? 5u : 1u),
                                RevokeMessage = new MessageSeq(9),
                            };
                            bool isPatient = (flags & 4) != 0;
                            var c = new Case(holder, need, isPatient, session, HolderDecision.Decide(holder, need, isPatient, session, Terms, Now));
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

    private readonly record struct Case(HolderState Holder, CapSet Need, bool IsPatient, SessionView Session, HolderDecision Decision);
}
