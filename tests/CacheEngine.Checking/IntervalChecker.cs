namespace CacheEngine.Checking;

/// <summary>
/// Decides whether a whole history of registers with known versions is linearizable, key by key.
/// </summary>
/// <remarks>
/// The authority's versions are a proposed order of the writes. A register history with a given order of writes is linearizable exactly when no
/// operation that returned before another was called has a newer version than it; so one sweep over calls and returns decides, in n log n. The
/// versions themselves are checked: one value has one version, and a write is newer than everything seen before it was called. Values are unique
/// per write, so that a value that nobody wrote, torn or invented, is found too.
/// <para>
/// Where a node's buffered writes are undone, the order of versions still is the order of the history: the last value that was kept is written again,
/// under a version above all those that were undone. So a <see cref="EventKind.Restore"/> is a write of a value that already has a version, and
/// what was acknowledged as durable must not be among what it undoes.
/// </para>
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

    private static void CheckKey(int key, List<HistoryEvent> all, bool seenBeforeAcknowledged, List<Violation> violations)
    {
        CheckDurability(key, all, violations);
        List<HistoryEvent> events = [.. all.Where(e => e.Kind != EventKind.Flush)];
        var versions = new KeyVersions(key, events, violations);
        CheckOrigins(key, events, violations);
        for (int i = 0; i < events.Count; i++)
        {
            HistoryEvent e = events[i];
            if (e.Version == HistoryEvent.Unversioned && e.Kind == EventKind.Read && versions.TryGetOnly(e.Value, out long version))
            {
                events[i] = e with { Version = version };
            }
        }

        CheckUnversioned(key, events, versions, violations);
        CheckUpdates(key, events, versions, violations);
        CheckOrder(key, events, versions, seenBeforeAcknowledged, violations);
    }

    /// <summary>What was durable before a restore was called is not undone by it.</summary>
    private static void CheckDurability(int key, List<HistoryEvent> events, List<Violation> violations)
    {
        HistoryEvent[] restores = [.. events.Where(e => e.Kind == EventKind.Restore).OrderBy(e => e.Call)];
        if (restores.Length == 0)
        {
            return;
        }

        HistoryEvent[] durable = [.. events.Where(e => e.Kind is EventKind.Write or EventKind.Flush or EventKind.Restore).OrderBy(e => e.DurableAt)];
        HistoryEvent newest = default;
        int passed = 0;
        foreach (HistoryEvent restore in restores)
        {
            for (; passed < durable.Length && durable[passed].DurableAt < restore.Call; passed++)
            {
                newest = durable[passed].Version > newest.Version ? durable[passed] : newest;
            }

            if (newest.Version > restore.LostAfter)
            {
                violations.Add(new Violation("lost write", key, $"{restore} undid {newest}"));
            }
        }
    }

    /// <summary>What was read or restored had been written, or loaded.</summary>
    private static void CheckOrigins(int key, List<HistoryEvent> events, List<Violation> violations)
    {
        var origins = new Dictionary<long, HistoryEvent>();
        foreach (HistoryEvent e in events.Where(e => e.Kind is EventKind.Write or EventKind.Load))
        {
            origins.TryAdd(e.Value, e);
        }

        foreach (HistoryEvent read in events.Where(e => e.Kind is EventKind.Read or EventKind.Restore && e.Value != HistoryEvent.Absent))
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
    /// all its callers, so that all of them had called before any returned. A read that may have seen any of several versions is no evidence here.
    /// </summary>
    private static void CheckUnversioned(int key, List<HistoryEvent> events, KeyVersions versions, List<Violation> violations)
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

        long[] used = versions.Told;
        foreach (IGrouping<long, HistoryEvent> load in events
            .Where(e => e.Kind == EventKind.Read && e.Version == HistoryEvent.Unversioned && e.Value != HistoryEvent.Absent)
            .Where(e => !versions.Knows(e.Value))
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
    private static void CheckUpdates(int key, List<HistoryEvent> events, KeyVersions versions, List<Violation> violations)
    {
        long[] used = versions.Told;
        foreach (HistoryEvent update in events.Where(e => e.Base is not null && e.Version != HistoryEvent.Unversioned))
        {
            int at = Rank(used, update.Version);
            long before = at == 0 ? HistoryEvent.Unversioned : used[at - 1];
            if (versions.Knows(update.Base!.Value) && !versions.Has(update.Base.Value, before))
            {
                string basedOn = string.Join(" or ", versions.Of(update.Base.Value));
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

    /// <summary>
    /// The sweep. A read of a value that has several versions, and that was not told which, is given the oldest that does not contradict what was seen
    /// before it was called: any other choice would only ask more of the events that follow. So if there are fitting versions for all such reads
    /// at all, no contradiction is reported.
    /// </summary>
    private static void CheckOrder(
        int key, List<HistoryEvent> all, KeyVersions versions, bool seenBeforeAcknowledged, List<Violation> violations)
    {
        HistoryEvent[] events =
        [
            .. all.Where(e => e.Version != HistoryEvent.Unversioned || (e.Kind == EventKind.Read && versions.Knows(e.Value))),
        ];
        int[] byCall = [.. Enumerable.Range(0, events.Length).OrderBy(i => events[i].Call)];
        int[] byReturn = [.. Enumerable.Range(0, events.Length).OrderBy(i => events[i].Return)];
        HistoryEvent newestWrite = default;
        HistoryEvent newestSeen = default;
        int returned = 0;
        foreach (int i in byCall)
        {
            ref HistoryEvent e = ref events[i];
            for (; returned < byReturn.Length && events[byReturn[returned]].Return < e.Call; returned++)
            {
                HistoryEvent done = events[byReturn[returned]];
                newestSeen = done.Version > newestSeen.Version ? done : newestSeen;
                newestWrite = IsWrite(done) && done.Version > newestWrite.Version ? done : newestWrite;
            }

            HistoryEvent before = seenBeforeAcknowledged ? newestWrite : newestSeen;
            if (e.Version == HistoryEvent.Unversioned)
            {
                e = e with { Version = versions.AtLeast(e.Value, before.Version, e.Return) };
            }

            if (IsWrite(e))
            {
                if (e.Version <= before.Version)
                {
                    violations.Add(new Violation("write order", key, $"{e} came after {before}"));
                }
                else if (e.Version <= e.LostAfter)
                {
                    violations.Add(new Violation("write order", key, $"{e} is not newer than what it kept"));
                }
            }
            else if (e.Version < newestWrite.Version)
            {
                violations.Add(WasUndone(e, all) is { } restore
                    ? new Violation("resurrected", key, $"{e} was called after it was undone by {restore}")
                    : new Violation("stale", key, $"{e} was called after the acknowledgement of {newestWrite}"));
            }
            else if (e.Version < before.Version)
            {
                violations.Add(new Violation("went back", key, $"{e} was called after {newestSeen} had returned"));
            }
        }
    }

    private static bool IsWrite(in HistoryEvent e) => e.Kind is EventKind.Write or EventKind.Restore;

    private static HistoryEvent? WasUndone(HistoryEvent read, List<HistoryEvent> events)
    {
        int at = events.FindIndex(
            e => e.Kind == EventKind.Restore && e.Return < read.Call && e.LostAfter < read.Version && read.Version < e.Version);
        return at < 0 ? null : events[at];
    }
}
