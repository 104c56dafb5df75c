using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Arbitration;

/// <summary>What the authority knows of a holder's session when it decides.</summary>
/// <param name="LastRenewedAt">When it was last heard of.</param>
/// <param name="TookIn">What it has taken in.</param>
/// <param name="HasEnded">Whether its rights are over.</param>
/// <param name="IsClosed">Whether they are by its node's own word: nothing that it had buffered is missing.</param>
/// <param name="IsEvicted">Whether an operator ended it: what is held under it cannot be had back.</param>
internal readonly record struct SessionView(long LastRenewedAt, MessageSeq TookIn, bool HasEnded, bool IsClosed = false, bool IsEvicted = false);

/// <summary>What becomes of one other holder's rights so that a request can be served.</summary>
internal enum HolderStep : byte
{
    /// <summary>Nothing in the way.</summary>
    Compatible,

    /// <summary>Ask for the bits back, then wait.</summary>
    Revoke,

    /// <summary>They have been asked for; wait for the answer.</summary>
    Wait,

    /// <summary>The holder is silent and its rights have provably run out: take them without its answer.</summary>
    Take,
}

/// <summary>One holder's step in serving a request; the fan-out over many holders is this decision once per holder.</summary>
/// <param name="Step">What to do.</param>
/// <param name="Keep">What the holder may keep.</param>
/// <param name="SilentFrom">For <see cref="HolderStep.Revoke"/> and <see cref="HolderStep.Wait"/>: from when the holder counts as silent, if
/// nothing is heard of it.</param>
internal readonly record struct HolderDecision(HolderStep Step, CapSet Keep, long SilentFrom)
{
    /// <param name="holder">The other holder.</param>
    /// <param name="need">What the request needs.</param>
    /// <param name="isPatient">A request to load does not take the right of a session that is just loading: it waits for the value.</param>
    /// <param name="session">What is known of the holder's session.</param>
    /// <param name="terms">The lease terms.</param>
    /// <param name="now">The authority's clock.</param>
    public static HolderDecision Decide(
        in HolderState holder, CapSet need, bool isPatient, in SessionView session, in LeaseTerms terms, long now)
    {
        if (ConflictTable.Compatible(holder.Implemented, need))
        {
            return new HolderDecision(HolderStep.Compatible, holder.Issued, long.MaxValue);
        }

        CapSet keep = ConflictTable.Keep(holder.Issued, holder.Wanted, need);

        // A grant that left after a revoke makes the answer to that revoke too old to count (see HolderState.Answer): ask again.
        bool grantOvertookAnswer = holder.IssueSeq == IssueSeq.At(holder.Seq);
        bool mustAsk = keep != holder.Issued || grantOvertookAnswer;

        // A revoke that was not taken in bounds the lease from above: a renewal received after it was sent cannot be used before it is
        // taken in (see LeaseState), so only renewals received before can still run.
        bool untaken = !mustAsk && !(session.TookIn >= holder.RevokeMessage);
        long leaseFrom = untaken ? Math.Min(session.LastRenewedAt, holder.RevokeSentAt) : session.LastRenewedAt;
        long silentFrom = terms.SilentFrom(leaseFrom);
        if (session.HasEnded || now >= silentFrom)
        {
            // What a buffering holder has in its memory may never have come here: nothing of its value is to be served any more.
            CapSet left = holder.Implemented.Overlaps(CapSet.FileBuffer) ? holder.Issued & CapSet.Pin : keep;
            return new HolderDecision(HolderStep.Take, left, silentFrom);
        }

        bool isLoading = isPatient && Rights.IsLoading(holder.Issued);
        return new HolderDecision(mustAsk && !isLoading ? HolderStep.Revoke : HolderStep.Wait, keep, silentFrom);
    }
}
