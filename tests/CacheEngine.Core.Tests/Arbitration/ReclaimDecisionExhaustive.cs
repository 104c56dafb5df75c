using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

[Rule("P11", "REC-05", "REC-07")]
public class ReclaimDecisionExhaustive
{
    private static readonly CapSet[] Sets = Literals.SubsetsOf(Literals.Cap("pFscrwb"));

    [Fact]
    public void NothingIsGivenBack_ThatTheRecordDoesNotShowOrThatWasNotClaimed() => ForEach(static (isHeld, implemented, claimed, decision) =>
        implemented.Contains(decision.Caps) && claimed.Contains(decision.Caps) && (isHeld || decision.Caps.IsEmpty));

    [Fact]
    public void WhatTheRecordShowsAndIsClaimed_IsGivenBackWhole() => ForEach(static (isHeld, implemented, claimed, decision) =>
        !isHeld || decision.Caps == (implemented & claimed));

    [Fact]
    [Rule("REC-06", "P22")]
    public void AStrangersClaim_IsRefused() => ForEach(static (isHeld, _, _, decision) => isHeld || !decision.IsAccepted);

    [Fact]
    public void AClaim_IsAcceptedExactlyWhenMoreThanThePinIsLeft() => ForEach(static (_, _, _, decision) =>
        decision.IsAccepted == !(decision.Caps - CapSet.Pin).IsEmpty);

    [Fact]
    [Rule("REC-12")]
    public void AClaimOfWhatWasGivenBack_GetsTheSame() => ForEach(static (isHeld, _, claimed, decision) =>
        ReclaimDecision.Decide(isHeld, decision.Caps, claimed) == decision);

    private static void ForEach(Func<bool, CapSet, CapSet, ReclaimDecision, bool> claim)
    {
        foreach (CapSet implemented in Sets)
        {
            foreach (CapSet claimed in Sets)
            {
                foreach (bool isHeld in new[] { false, true })
                {
                    ReclaimDecision decision = ReclaimDecision.Decide(isHeld, implemented, claimed);
                    if (!claim(isHeld, implemented, claimed, decision))
                    {
                        Assert.Fail($"held {isHeld}, implemented {implemented}, claimed {claimed}: {decision}");
                    }
                }
            }
        }
    }
}
