namespace CacheEngine.Sessions;

/// <summary>
/// The terms of a lease, all in milliseconds: how long a renewal lasts and how much of it the holder must not use.
/// </summary>
/// <remarks>
/// The holder counts from the moment it <em>sent</em> the renewal, the authority from the moment it received it, each on its own monotonic
/// clock; nothing but the difference of the two rates and the granularity of the two readings stands between them (Gray and Cheriton 1989).
/// </remarks>
internal readonly record struct LeaseTerms
{
    public LeaseTerms(long termMilliseconds, double clockDrift, long granularityMilliseconds, long sessionTimeoutMilliseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(termMilliseconds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(termMilliseconds, int.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNegative(granularityMilliseconds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(granularityMilliseconds, termMilliseconds);
        if (!(clockDrift >= 0 && clockDrift < 0.5))
        {
            throw new ArgumentOutOfRangeException(nameof(clockDrift), clockDrift, "The drift is a share of the term: at least 0 and below 0.5.");
        }

        TermMilliseconds = termMilliseconds;
        ClockDrift = clockDrift;
        GranularityMilliseconds = granularityMilliseconds;
        MarginMilliseconds = Difference(termMilliseconds);
        SessionTimeoutMilliseconds = sessionTimeoutMilliseconds;
        if (MarginMilliseconds * 2 >= termMilliseconds)
        {
            throw new ArgumentOutOfRangeException(nameof(termMilliseconds), termMilliseconds,
                $"A lease term must be more than twice its margin of {MarginMilliseconds} ms (drift x term + 2 x clock granularity).");
        }

        if (sessionTimeoutMilliseconds <= termMilliseconds + MarginMilliseconds)
        {
            throw new ArgumentOutOfRangeException(nameof(sessionTimeoutMilliseconds), sessionTimeoutMilliseconds,
                $"A session must outlive its lease: more than {termMilliseconds + MarginMilliseconds} ms.");
        }
    }

    public long TermMilliseconds { get; }

    public double ClockDrift { get; }

    public long GranularityMilliseconds { get; }

    public long MarginMilliseconds { get; }

    public long SessionTimeoutMilliseconds { get; }

    /// <summary>How long after sending one renewal the holder sends the next: three tries fit into a term.</summary>
    public long RenewIntervalMilliseconds => Math.Max(1, (TermMilliseconds - MarginMilliseconds) / 3);

    /// <summary>The holder's last moment, from the moment it sent the renewal.</summary>
    public long HolderDeadline(long sentAt) => sentAt + TermMilliseconds - MarginMilliseconds;

    /// <summary>The moment from which the authority may treat a holder as gone, from the moment it received the renewal.</summary>
    public long SilentFrom(long receivedAt) => receivedAt + TermMilliseconds + MarginMilliseconds;

    /// <summary>The longest that a time measured elsewhere can last on this clock.</summary>
    public long AtMostElsewhere(long milliseconds) => milliseconds + Difference(milliseconds);

    /// <summary>A time that is over on this clock before <paramref name="milliseconds"/> are over elsewhere; at least zero.</summary>
    public long WithinElsewhere(long milliseconds) => Math.Max(0, milliseconds - Difference(milliseconds));

    private long Difference(long milliseconds) => (long)Math.Ceiling(milliseconds * ClockDrift) + (2 * GranularityMilliseconds);
}
