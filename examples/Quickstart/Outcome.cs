using CacheEngine.Checking;

namespace Quickstart;

/// <summary>What a run did, and what was found in it.</summary>
internal sealed record Outcome
{
    /// <summary>How many contradictions are enough.</summary>
    public const int MaxViolations = 1000;

    public required int Files { get; init; }

    public required int Nodes { get; init; }

    public required long Reads { get; init; }

    public required long Hits { get; init; }

    /// <summary>How many times a file was read from disk for the cache.</summary>
    public required long Loads { get; init; }

    public required long Writes { get; init; }

    public required long Revokes { get; init; }

    /// <summary>How often the authority was restarted under way.</summary>
    public required int Restarts { get; init; }

    /// <summary>How many nodes were killed under way.</summary>
    public required int Killed { get; init; }

    /// <summary>Reads that dead nodes served, by leases that had not run out.</summary>
    public required long HitsOfTheDead { get; init; }

    /// <summary>How long a lease lasts.</summary>
    public required TimeSpan LeaseTerm { get; init; }

    /// <summary>How many writes got no answer, so that their outcome is unknown, and were followed by another.</summary>
    public required long RepeatedWrites { get; init; }

    public required HitCost HitCost { get; init; }

    /// <summary>The time from each write to its acknowledgement, shortest first.</summary>
    public required TimeSpan[] WriteLatencies { get; init; }

    /// <summary>How long the check of the history took.</summary>
    public required TimeSpan Checking { get; init; }

    public required List<Violation> Violations { get; init; }

    /// <summary>Files of which disk and cache do not agree at the end.</summary>
    public required List<string> Mismatches { get; init; }

    public required long RefusedMessages { get; init; }

    /// <summary>Contradictions that are about a read of something old.</summary>
    public int StaleReads => Violations.Count(violation => violation.Rule is "stale" or "went back" or "overtaken");

    public bool IsCoherent => Violations.Count == 0 && Mismatches.Count == 0 && RefusedMessages == 0;

    /// <summary>The shortest latency that this share of the writes did not exceed; null if there was none.</summary>
    public TimeSpan? WriteLatency(double share) =>
        WriteLatencies.Length == 0 ? null : WriteLatencies[Math.Max(0, (int)Math.Ceiling(share * WriteLatencies.Length) - 1)];
}
