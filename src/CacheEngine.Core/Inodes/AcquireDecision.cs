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
/// While the buffer right is being taken back, no new writer starts, or its unbuffered write could overtake data that is still buffered: a
/// needed write right waits, a wanted one is not taken.
/// </remarks>
internal readonly record struct AcquireDecision(AcquireOutcome Outcome, CapSet Got)
{
    public static AcquireDecision Decide(CapSet issued, CapSet revoking, CapSet asked, CapSet need, CapSet want)
    {
        if (!issued.Contains(need))
        {
            return new AcquireDecision(asked.Contains(need) ? AcquireOutcome.Wait : AcquireOutcome.Ask, CapSet.None);
        }

        CapSet overtaking = revoking.Overlaps(CapSet.FileBuffer) ? CapSet.FileWrite : CapSet.None;
        if (need.Overlaps(overtaking))
        {
            return new AcquireDecision(AcquireOutcome.Wait, CapSet.None);
        }

        bool takesWant = issued.Contains(want) && !want.Overlaps(overtaking);
        return new AcquireDecision(AcquireOutcome.Granted, takesWant ? need | want : need);
    }
}
