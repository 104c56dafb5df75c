namespace CacheEngine.Checking;

/// <summary>A node told its application that it could not save these writes.</summary>
/// <param name="Node">The node that told it.</param>
/// <param name="Key">The key.</param>
/// <param name="First">The first version that is lost.</param>
/// <param name="Last">The last.</param>
public readonly record struct ToldLoss(int Node, int Key, long First, long Last);

/// <summary>
/// Decides whether what was lost is what was told: no more, and no less.
/// </summary>
/// <remarks>
/// A version is undone if a <see cref="EventKind.Restore"/> says so, unless a <see cref="EventKind.Flush"/> that was acknowledged before it says that
/// the authority had it (that the flush then was broken is for <see cref="IntervalChecker"/> to say). Two rules. <c>loss not told</c>: every write
/// into a buffer that was acknowledged and undone is in a report of its own node, unless that node is dead. <c>loss told in vain</c>: all versions that
/// a report names were undone by one restore. When a loss is told, and how often, is not looked at.
/// </remarks>
public static class LossChecker
{
    /// <summary>Every contradiction, at most <paramref name="limit"/> of them.</summary>
    /// <param name="history">The events, in any order; reads are not looked at.</param>
    /// <param name="reports">What the nodes told.</param>
    /// <param name="deadNodes">Nodes that had no life left to tell anything.</param>
    /// <param name="limit">How many contradictions are enough.</param>
    public static List<Violation> Check(
        IEnumerable<HistoryEvent> history, IEnumerable<ToldLoss> reports, IReadOnlySet<int>? deadNodes = null, int limit = 20)
    {
        ILookup<int, HistoryEvent> events = history.Where(e => e.Kind is not (EventKind.Read or EventKind.Load)).ToLookup(e => e.Key);
        ILookup<int, ToldLoss> told = reports.ToLookup(report => report.Key);
        return
        [
            .. events.Select(key => key.Key).Union(told.Select(key => key.Key)).Order()
                .SelectMany(key => CheckKey(key, [.. events[key]], [.. told[key]], deadNodes))
                .Take(limit),
        ];
    }

    private static IEnumerable<Violation> CheckKey(int key, HistoryEvent[] events, ToldLoss[] reports, IReadOnlySet<int>? deadNodes)
    {
        Undone[] undone = [.. events.Where(e => e.Kind == EventKind.Restore).Select(restore => Undone.By(restore, events))];
        foreach (HistoryEvent write in events.Where(IsAcknowledgedInBuffer).Where(write => deadNodes?.Contains(write.Node) != true))
        {
            if (undone.Any(range => range.Contains(write.Version, write.Version))
                && !reports.Any(report => report.Node == write.Node && report.First <= write.Version && write.Version <= report.Last))
            {
                yield return new Violation("loss not told", key, $"{write}");
            }
        }

        foreach (ToldLoss report in reports.Where(report => !undone.Any(range => range.Contains(report.First, report.Last))))
        {
            yield return new Violation("loss told in vain", key, $"{report}");
        }
    }

    private static bool IsAcknowledgedInBuffer(HistoryEvent e) =>
        e.Kind == EventKind.Write
        && e.Version != HistoryEvent.Unversioned
        && e.Return < e.DurableAt;

    /// <summary>The versions between the last that was kept and the one of the restore.</summary>
    private readonly record struct Undone(long Kept, long Restored)
    {
        public static Undone By(HistoryEvent restore, HistoryEvent[] events) => new(
            events
                .Where(e => e.Kind == EventKind.Flush && e.Return < restore.Call)
                .Aggregate(restore.LostAfter, (kept, flush) => Math.Max(kept, flush.Version)),
            restore.Version);

        public bool Contains(long first, long last) => Kept < first && first <= last && last < Restored;
    }
}
