using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Inodes;

public class GrantDecisionExhaustive
{
    private static readonly CapSet[] Sets = Literals.SubsetsOf(Literals.Cap("AxFcw"));
    private static readonly CapId Id = new(9);
    private static readonly SessionGeneration Generation = new(3);

    [Fact]
    [Rule("T30", "INV-2")]
    public void Issued_IsWhatTheMessageSaysAndWithinImplemented() => ForEach(static c =>
        c.IsOld || (c.Next.Issued == c.Given && c.Next.Implemented.Contains(c.Next.Issued)));

    [Fact]
    [Rule("T30")]
    public void Implemented_LosesNothingThatIsInUseAndInventsNothing() => ForEach(static c =>
        c.IsOld
        || (c.Next.Implemented.Contains(c.HeldBefore.Implemented & c.Used)
            && (c.HeldBefore.Implemented | c.Caps).Contains(c.Next.Implemented)));

    [Fact]
    [Rule("T35", "GRANT-1", "GRANT-23")]
    public void AddedAndRemoved_AreIndependent() => ForEach(static c =>
        c.IsOld
        || Literals.BitsOf(Literals.Cap("AxFcw")).All(bit =>
            c.Decision.Added.Contains(bit) == (c.Given.Contains(bit) && !c.HeldBefore.Issued.Contains(bit))
            && c.Decision.Removed.Contains(bit) == (!c.Given.Contains(bit) && c.HeldBefore.Issued.Contains(bit))));

    [Fact]
    [Rule("T25")]
    public void EveryRevoke_IsAnsweredOnceNowOrWhenTheLastUseEnds() => ForEach(static c =>
    {
        // What is left revoking is answered by the put that ends the last use of it; what is not, cannot be answered by a put any more.
        bool now = c.Has(GrantEffects.Answer);
        bool later = c.Has(GrantEffects.AnswerWhenPut);
        bool isOwed = c.IsRevoke || !(c.HeldBefore.Implemented - c.Caps).IsEmpty;
        bool putWillAnswer = c.Next.Revoking.Overlaps(c.Used);
        return c.IsOld || ((now || later) == isOwed && !(now && later) && later == putWillAnswer && (later || c.Next.Revoking.IsEmpty));
    });

    [Fact]
    [Rule("T25", "T21")]
    public void OlderOrRepeatedMessage_ChangesNothing() => ForEach(static c =>
        c.IsOld
            ? c.Decision == new GrantDecision(c.Cap, CapSet.None, CapSet.None, GrantEffects.Ignored)
            : !c.Has(GrantEffects.Ignored));

    [Fact]
    [Rule("T52")]
    public void AnotherGenerationOrGrant_StartsFromNothing() => ForEach(static c =>
        c.IsSameGrant || c.Decision == GrantDecision.Decide(default, c.Id, c.Caps, c.Seq, c.Generation, c.IsRevoke, c.Used));

    [Fact]
    public void Value_IsMadeUnservableWhenABitThatServesItGoes() => ForEach(static c =>
        c.Has(GrantEffects.MakeUnservable) == (!c.IsOld && c.Decision.Removed.Overlaps(Literals.Cap("Fscr"))));

    [Fact]
    [Rule("T27")]
    public void IssueSeq_RisesWithEveryIssue_AndNotWithARevoke() => ForEach(static c =>
        c.IsOld
        || (c.Next.Seq == c.Seq
            && c.Next.Id == c.Id
            && c.Next.Generation == c.Generation
            && c.Next.IssueSeq == (c.IsSameGrant && c.IsRevoke ? c.Cap.IssueSeq : IssueSeq.At(c.Seq))));

    private static void ForEach(Func<Case, bool> claim)
    {
        foreach (CapSet implemented in Sets)
        {
            foreach (CapSet issued in Sets.Where(set => implemented.Contains(set)))
            {
                CapState cap = new()
                {
                    Id = Id,
                    Issued = issued,
                    Implemented = implemented,
                    Seq = new CapSeq(6),
                    IssueSeq = new IssueSeq(2),
                    Generation = Generation,
                };
                ForEachMessage(cap, claim);
            }
        }
    }

    private static void ForEachMessage(in CapState cap, Func<Case, bool> claim)
    {
        (CapId Id, SessionGeneration Generation, uint Seq)[] headers =
        [
            (Id, Generation, 5), (Id, Generation, 6), (Id, Generation, 7),
            (new CapId(10), Generation, 5), (Id, new SessionGeneration(4), 6), (new CapId(10), new SessionGeneration(4), 7),
        ];
        foreach ((CapId id, SessionGeneration generation, uint seq) in headers)
        {
            foreach (CapSet caps in Sets)
            {
                foreach (CapSet used in Sets)
                {
                    foreach (bool isRevoke in new[] { false, true })
                    {
                        GrantDecision decision = GrantDecision.Decide(cap, id, caps, new CapSeq(seq), generation, isRevoke, used);
                        var c = new Case(cap, id, generation, new CapSeq(seq), caps, isRevoke, used, decision);
                        if (!claim(c))
                        {
                            Assert.Fail($"{c}");
                        }
                    }
                }
            }
        }
    }

    private readonly record struct Case(
        CapState Cap, CapId Id, SessionGeneration Generation, CapSeq Seq, CapSet Caps, bool IsRevoke, CapSet Used, GrantDecision Decision)
    {
        public bool IsSameGrant => Id == Cap.Id && Generation == Cap.Generation;

        public bool IsOld => IsSameGrant && Seq <= Cap.Seq;

        /// <summary>What the message leaves: a revoke of something that is not held leaves nothing.</summary>
        public CapSet Given => IsRevoke && !IsSameGrant ? CapSet.None : Caps;

        public CapState HeldBefore => IsSameGrant ? Cap : default;

        public CapState Next => Decision.Cap;

        public bool Has(GrantEffects effect) => Decision.Effects.HasFlag(effect);
    }
}
