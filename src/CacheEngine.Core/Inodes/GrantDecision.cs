using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>What an authority message about a cap does beside changing its bits.</summary>
[Flags]
internal enum GrantEffects : byte
{
    None = 0,

    /// <summary>The message is older than what was applied; nothing changes.</summary>
    Ignored = 1,

    /// <summary>Bits that serve the value are gone: the entry must be unservable before anything else is seen outside.</summary>
    MakeUnservable = 2,

    /// <summary>The answer is due now: nothing that is being taken back is in use.</summary>
    Answer = 4,

    /// <summary>The answer is owed and leaves when the last use of the revoked bits ends.</summary>
    AnswerWhenPut = 8,
}

/// <summary>The effect of one grant or revoke. The two are one thing: only the comparison of the cap sets decides.</summary>
/// <remarks>
/// Added and removed bits are computed independently, since one message may do both. A revoke is always answered, even when nothing is left to
/// give back: a release may have crossed it, and the authority waits for its number.
/// </remarks>
internal readonly record struct GrantDecision(CapState Cap, CapSet Added, CapSet Removed, GrantEffects Effects)
{
    /// <summary>Whether the effect is among those decided; unlike Enum.HasFlag on a byte, it boxes nothing.</summary>
    public bool Has(GrantEffects effect) => (Effects & effect) != 0;

    public static GrantDecision Decide(
        in CapState cap, CapId id, CapSet caps, CapSeq seq, SessionGeneration generation, bool isRevoke, CapSet used)
    {
        bool isContinuation = cap.Id == id && cap.Generation == generation;
        if (isContinuation && seq <= cap.Seq)
        {
            return new GrantDecision(cap, CapSet.None, CapSet.None, GrantEffects.Ignored);
        }

        // A revoke of something that this node does not hold gives nothing; it is answered with nothing.
        caps = isRevoke && !isContinuation ? CapSet.None : caps;
        CapSet before = isContinuation ? cap.Issued : CapSet.None;
        CapSet implemented = isContinuation ? cap.Implemented : CapSet.None;
        CapSet added = caps - before;
        CapSet removed = before - caps;
        CapState next = cap;
        next.Id = id;
        next.Issued = caps;
        next.Seq = seq;
        next.Generation = generation;
        next.IssueSeq = isRevoke && isContinuation ? cap.IssueSeq : IssueSeq.At(seq);

        GrantEffects effects = removed.Overlaps(CapSet.AnyFileRead) ? GrantEffects.MakeUnservable : GrantEffects.None;
        CapSet revoking = (implemented | before) - caps;
        bool stillUsed = revoking.Overlaps(used);
        if (isRevoke || !revoking.IsEmpty)
        {
            effects |= stillUsed ? GrantEffects.AnswerWhenPut : GrantEffects.Answer;
        }

        next.Implemented = stillUsed ? caps | implemented | before : caps;
        return new GrantDecision(next, added, removed, effects);
    }
}
