namespace CacheEngine.Checking;

/// <summary>
/// Decides whether a whole history of registers with known versions is linearizable, key by key.
/// </summary>
/// <remarks>
/// The authority's versions are a proposed order of the writes. A register history with a given order of writes is linearizable exactly when no
/// operation that returned before another was called has a newer version than it; so one sweep over calls and returns decides, in n log n. The
/// versions themselves are checked: one value has one version, and a write is newer than everything seen before it was called. Values are unique
/// per write, so that a value that nobody wrote, torn or invented, is found too.
/// </remarks>
public static class IntervalChecker
{
    /// <summary>Every contradiction, at most <paramref name="limit"/> of them.</summary>
    /// <param name="history">The events, in any order.</param>
    /// <param name="seenBeforeAcknowledged">Whether a write may be seen by some and not yet by others until it is acknowledged: so it is where the
    /// application's own source is read by loaders while a writer has changed it and not yet told the cluster. Then a read may go back.</param>
    /// <param name="limit">How many contradictions are enough.</param>
    public static List<Violation> Check(IEnumerable<HistoryEvent> history, bool seenBeforeAcknowledged = false, int limit = 20)
    {
        var violations = new List<Violation>();
        foreach (IGrouping<int, HistoryEvent> key in history.GroupBy(e => e.Key).OrderBy(group => group.Key))
        {
            if (violations.Count < limit)
            {
                CheckKey(key.Key, [.. key], seenBeforeAcknowledged, violations);
            }
        }

        return violations.Count > limit ? violations[..limit] : violations;
    }

    private static void CheckKey(int key, List<HistoryEvent> events, bool seenBeforeAcknowledged, List<Violation> violations)
    {
        Dictionary<long, long> versions = VersionsOf(key, events, violations);
        CheckOrigins(key, events, versions, violations);
        for (int i = 0; i < events.Count; i++)
        {
            HistoryEvent e = events[i];
            if (e.Version == HistoryEvent.Unversioned && e.Kind == EventKind.Read && versions.TryGetValue(e.Value, out long version))
            {
                events[i] = e with { Version = version };
            }
        }

        CheckUnversioned(key, events, violations);
        CheckUpdates(key, events, versions, violations);
        CheckOrder(key, [.. events.Where(e => e.Version != HistoryEvent.Unversioned)], seenBeforeAcknowledged, violations);
    }

    private static Dictionary<long, long> VersionsOf(int key, List<HistoryEvent> events, List<Violation> violations)
    {
        var versions = new Dictionary<long, long>();
        var values = new Dictionary<long, HistoryEvent>();
        foreach (HistoryEvent e in events.Where(e => e.Version != HistoryEvent.Unversioned))
        {
            if (values.TryGetValue(e.Version, out HistoryEvent other) && other.Value != e.Value)
            {
                violations.Add(new Violation("split version", key, $"{other} and {e}"));
            }

            values[e.Version] = e;
            if (e.Value == HistoryEvent.Absent)
            {
                continue;
            }

            if (versions.TryGetValue(e.Value, out long known) && known != e.Version)
            {
                violations.Add(new Violation("split version", key, $"value {e.Value} has versions {known} and {e.Version}"));
            }

            versions[e.Value] = e.Version;
        }

        return versions;
    }

    private static void CheckOrigins(int key, List<HistoryEvent> events, Dictionary<long, long> versions, List<Violation> violations)
    {
        var origins = new Dictionary<long, HistoryEvent>();
        foreach (HistoryEvent e in events.Where(e => e.Kind != EventKind.Read))
        {
            origins.TryAdd(e.Value, e);
        }

        foreach (HistoryEvent read in events.Where(e => e.Kind == EventKind.Read && e.Value != HistoryEvent.Absent))
        {
            if (!origins.TryGetValue(read.Value, out HistoryEvent origin))
            {
                violations.Add(new Violation("never written", key, $"{read}"));
            }
            else if (read.Return < origin.Call)
            {
                violations.Add(new Violation("from the future", key, $"{read} saw {origin}"));
            }
        }
    }

    /// <summary>
    /// A loaded value whose version nobody was told: either it was stored for a while, and then a version that nobody else has must fit between what
    /// its readers must have seen and what was seen after them; or it was overtaken and never stored, and then its load ended at one moment for
    /// all its callers, so that all of them had called before any returned.
    /// </summary>
    private static void CheckUnversioned(int key, List<HistoryEvent> events, List<Violation> violations)
    {
        HistoryEvent[] versioned = [.. events.Where(e => e.Version != HistoryEvent.Unversioned)];
        HistoryEvent[] byReturn = [.. versioned.OrderBy(e => e.Return)];
        HistoryEvent[] byCall = [.. versioned.OrderBy(e => e.Call)];
        long[] newestBefore = new long[byReturn.Length + 1];
        for (int i = 0; i < byReturn.Length; i++)
        {
            newestBefore[i + 1] = Math.Max(newestBefore[i], byReturn[i].Version);
        }

        long[] oldestFrom = new long[byCall.Length + 1];
        oldestFrom[byCall.Length] = long.MaxValue;
        for (int i = byCall.Length - 1; i >= 0; i--)
        {
            oldestFrom[i] = Math.Min(oldestFrom[i + 1], byCall[i].Version);
        }

        long[] used = [.. versioned.Select(e => e.Version).Distinct().Order()];
        foreach (IGrouping<long, HistoryEvent> load in events
            .Where(e => e.Kind == EventKind.Read && e.Version == HistoryEvent.Unversioned && e.Value != HistoryEvent.Absent)
            .GroupBy(e => e.Value))
        {
            HistoryEvent last = load.MaxBy(e => e.Call);
            HistoryEvent first = load.MinBy(e => e.Return);
            if (last.Call <= first.Return)
            {
                continue;
            }

            long above = newestBefore[Count(byReturn, e => e.Return < last.Call)];
            long below = oldestFrom[Count(byCall, e => e.Call <= first.Return)];
            long free = below == long.MaxValue ? 1 : below - above - 1 - (Rank(used, below) - Rank(used, above + 1));
            if (free <= 0)
            {
                violations.Add(new Violation(
                    "overtaken", key, $"{last} saw a load that had ended for {first}, and no version between {above} and {below} is free for it"));
            }
        }
    }

    /// <summary>An update is made of the value right before it: no other version that anybody was told lies in between.</summary>
    private static void CheckUpdates(int key, List<HistoryEvent> events, Dictionary<long, long> versions, List<Violation> violations)
    {
        long[] used = [.. events.Select(e => e.Version).Where(v => v != HistoryEvent.Unversioned).Distinct().Order()];
        foreach (HistoryEvent update in events.Where(e => e.Base is not null && e.Version != HistoryEvent.Unversioned))
        {
            int at = Rank(used, update.Version);
            long before = at == 0 ? HistoryEvent.Unversioned : used[at - 1];
            if (versions.TryGetValue(update.Base!.Value, out long basedOn) && basedOn != before)
            {
                violations.Add(new Violation("lost update", key, $"{update} was made of version {basedOn}, but version {before} lies in between"));
            }
        }
    }

    private static int Count(HistoryEvent[] sorted, Func<HistoryEvent, bool> isBefore)
    {
        int low = 0;
        int high = sorted.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = isBefore(sorted[middle]) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static int Rank(long[] sorted, long value)
    {
        int at = Array.BinarySearch(sorted, value);
        return at < 0 ? ~at : at;
    }

    private static void CheckOrder(int key, List<HistoryEvent> events, bool seenBeforeAcknowledged, List<Violation> violations)
    {
        HistoryEvent[] byCall = [.. events.OrderBy(e => e.Call)];
        HistoryEvent[] byReturn = [.. events.OrderBy(e => e.Return)];
        HistoryEvent newestWrite = default;
        HistoryEvent newestSeen = default;
        int returned = 0;
        foreach (HistoryEvent e in byCall)
        {
            for (; returned < byReturn.Length && byReturn[returned].Return < e.Call; returned++)
            {
                HistoryEvent done = byReturn[returned];
                newestSeen = done.Version > newestSeen.Version ? done : newestSeen;
                newestWrite = done.Kind == EventKind.Write && done.Version > newestWrite.Version ? done : newestWrite;
            }

            if (e.Kind == EventKind.Write)
            {
                HistoryEvent before = seenBeforeAcknowledged ? newestWrite : newestSeen;
                if (e.Version <= before.Version)
                {
                    violations.Add(new Violation("write order", key, $"{e} came after {before}"));
                }
            }
            else if (e.Version < newestWrite.Version)
            {
                violations.Add(new Violation("stale", key, $"{e} was called after the acknowledgement of {newestWrite}"));
            }
            else if (e.Version < newestSeen.Version && !seenBeforeAcknowledged)
            {
                violations.Add(new Violation("went back", key, $"{e} was called after {newestSeen} had returned"));
            }
        }
    }
}
