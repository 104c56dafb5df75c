namespace CacheEngine.Arbitration;

/// <summary>What becomes of the request at the head of an object's queue, once each other holder's step is known.</summary>
internal enum ArbitrationOutcome : byte
{
    /// <summary>Served now, with the granted bits.</summary>
    Grant,

    /// <summary>Some holder still has conflicting bits; the request keeps its place.</summary>
    Wait,
}

/// <summary>Whether, and with which bits, a request is served.</summary>
internal readonly record struct ArbitrationDecision(ArbitrationOutcome Outcome, CapSet Granted)
{
    /// <param name="kind">What is asked.</param>
    /// <param name="need">The bits that must be granted.</param>
    /// <param name="want">The bits that are granted as well if all of them can be.</param>
    /// <param name="others">Everything that other sessions hold or have not yet given back.</param>
    public static ArbitrationDecision Decide(RequestKind kind, CapSet need, CapSet want, CapSet others)
    {
        if (!ConflictTable.Compatible(need, others))
        {
            return new ArbitrationDecision(ArbitrationOutcome.Wait, CapSet.None);
        }

        CapSet granted = kind switch
        {
            RequestKind.Write or RequestKind.Remove => want,
            RequestKind.Own => need,
            RequestKind.Recall => CapSet.None,
            _ => ConflictTable.Compatible(need | want, others) ? need | want : need,
        };
        return new ArbitrationDecision(ArbitrationOutcome.Grant, granted | CapSet.Pin);
    }

    /// <summary>Whether a reader is told that there is no value, and given no right, because another session is just making the first one.</summary>
    /// <remarks>Revoking the loader's right for a reader would only repeat the load. Of a session that keeps writes back nobody knows whether there is a value.</remarks>
    public static bool AnswersAbsent(RequestKind kind, CapSet need, CapSet othersIssued, bool hasValue) =>
        kind == RequestKind.Acquire
        && !hasValue
        && Rights.Serve.Contains(need)
        && Rights.IsLoading(othersIssued);
}
