namespace CacheEngine.Arbitration;

/// <summary>
/// What an engine keeps of a grant that it held under an earlier session: what it says it still has, as far as the record shows that nobody has taken it.
/// </summary>
/// <remarks>
/// A claim proves nothing by itself: the record does. A right that was taken, before or after a restart, is not in the record, so it cannot be had back. A revoke
/// that was not answered is undone here; whoever waits for the bits has them revoked anew, in the new session.
/// </remarks>
internal readonly record struct ReclaimDecision(bool IsAccepted, CapSet Caps)
{
    /// <param name="isHeld">Whether the record has the grant, under an earlier session of the same engine.</param>
    /// <param name="implemented">What the record says has not been given back.</param>
    /// <param name="claimed">What the engine says it has not given back.</param>
    public static ReclaimDecision Decide(bool isHeld, CapSet implemented, CapSet claimed)
    {
        CapSet kept = isHeld ? implemented & claimed : CapSet.None;
        return new ReclaimDecision(!(kept - CapSet.Pin).IsEmpty, kept);
    }
}
