namespace CacheEngine.Inodes;

/// <summary>What a caller that needs rights on an object does next.</summary>
internal enum AcquireOutcome : byte
{
    /// <summary>The rights are there; use them.</summary>
    Granted,

    /// <summary>Ask the authority, then wait.</summary>
    Ask,

    /// <summary>A question that covers the need is under way, or a right must first be given back; wait.</summary>
    Wait,
}

/// <summary>
/// Whether needed rights are held. <em>Need</em> is waited for; <em>want</em> is taken all or not at all and never waited for.
/// </summary>
/// <remarks>
/// One exception to "want never waits": while the buffer right is being taken back, a new writer waits, or its unbuffered write could
/// overtake data that is still buffered.
/// </remarks>
internal readonly record struct AcquireDecision(AcquireOutcome Outcome, CapSet Got)
{
    public static AcquireDecision Decide(CapSet issued, CapSet revoking, CapSet asked, CapSet need, CapSet want)
    {
        if (!issued.Contains(need))
        {
            return new AcquireDecision(asked.Contains(need) ? AcquireOutcome.Wait : AcquireOutcome.Ask, CapSet.None);
        }

        bool overtakesBuffer = need.Overlaps(CapSet.FileWrite) && revoking.Overlaps(CapSet.FileBuffer);
        if (overtakesBuffer)
        {
            return new AcquireDecision(AcquireOutcome.Wait, CapSet.None);
        }

        return new AcquireDecision(AcquireOutcome.Granted, issued.Contains(want) ? need | want : need);
    }
}
