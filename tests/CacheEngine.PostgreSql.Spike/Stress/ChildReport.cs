
namespace CacheEngine.PostgreSql.Stress;

/// <summary>What one process did: its history and its figures, as they cross to the parent in a file.</summary>
internal sealed class ChildReport
{
    public List<HistoryEvent> History { get; init; } = [];

    /// <summary>What its nodes told their applications that they had lost.</summary>
    public List<ToldLoss> Losses { get; init; } = [];

    public long Reads { get; set; }

    public long Hits { get; set; }

    public long Writes { get; set; }

    /// <summary>Writes that were acknowledged in their node's buffer, and flushes of them that were waited for.</summary>
    public long Buffered { get; set; }

    public long Flushes { get; set; }

    public long Loads { get; set; }

    public long Unavailable { get; set; }

    /// <summary>Increments of the counter that were acknowledged, and those of which nobody knows.</summary>
    public long Acknowledged { get; set; }

    public long Unknown { get; set; }

    public long Counter { get; set; }

    public long Refused { get; set; }

    public long Failures { get; set; }

    public long RoundTrips { get; set; }

    public long Questions { get; set; }

    public long Revokes { get; set; }

    /// <summary>Microseconds of the sets and of the updates that were acknowledged.</summary>
    public List<long> SetTimes { get; init; } = [];

    public List<long> UpdateTimes { get; init; } = [];

    public void Save(string path)
    {
        using var to = new BinaryWriter(File.Create(path));
        foreach (long number in (long[])
            [Reads, Hits, Writes, Buffered, Flushes, Loads, Unavailable, Acknowledged, Unknown, Counter, Refused, Failures, RoundTrips, Questions, Revokes])
        {
            to.Write(number);
        }

        foreach (List<long> times in (List<long>[])[SetTimes, UpdateTimes])
        {
            to.Write(times.Count);
            times.ForEach(to.Write);
        }

        to.Write(Losses.Count);
        foreach (ToldLoss loss in Losses)
        {
            to.Write(loss.Node);
            to.Write(loss.Key);
            to.Write(loss.First);
            to.Write(loss.Last);
        }

        to.Write(History.Count);
        foreach (HistoryEvent e in History)
        {
            Write(to, e);
        }
    }

    public static ChildReport Load(string path)
    {
        using var from = new BinaryReader(File.OpenRead(path));
        var report = new ChildReport
        {
            Reads = from.ReadInt64(),
            Hits = from.ReadInt64(),
            Writes = from.ReadInt64(),
            Buffered = from.ReadInt64(),
            Flushes = from.ReadInt64(),
            Loads = from.ReadInt64(),
            Unavailable = from.ReadInt64(),
            Acknowledged = from.ReadInt64(),
            Unknown = from.ReadInt64(),
            Counter = from.ReadInt64(),
            Refused = from.ReadInt64(),
            Failures = from.ReadInt64(),
            RoundTrips = from.ReadInt64(),
            Questions = from.ReadInt64(),
            Revokes = from.ReadInt64(),
        };
        foreach (List<long> times in (List<long>[])[report.SetTimes, report.UpdateTimes])
        {
            for (int left = from.ReadInt32(); left > 0; left--)
            {
                times.Add(from.ReadInt64());
            }
        }

        for (int left = from.ReadInt32(); left > 0; left--)
        {
            report.Losses.Add(new ToldLoss(from.ReadInt32(), from.ReadInt32(), from.ReadInt64(), from.ReadInt64()));
        }

        for (int left = from.ReadInt32(); left > 0; left--)
        {
            report.History.Add(ReadEvent(from));
        }

        return report;
    }

    private static void Write(BinaryWriter to, in HistoryEvent e)
    {
        to.Write((byte)e.Kind);
        to.Write(e.Key);
        to.Write(e.Value);
        to.Write(e.Version);
        to.Write(e.Call);
        to.Write(e.Return);
        to.Write(e.Client);
        to.Write(e.Base.HasValue);
        to.Write(e.Base.GetValueOrDefault());
        to.Write(e.LostAfter);
        to.Write(e.DurableAt);
        to.Write(e.Node);
    }

    private static HistoryEvent ReadEvent(BinaryReader from)
    {
        var e = new HistoryEvent(
            (EventKind)from.ReadByte(),
            from.ReadInt32(),
            from.ReadInt64(),
            from.ReadInt64(),
            from.ReadInt64(),
            from.ReadInt64(),
            from.ReadInt32());
        bool hasBase = from.ReadBoolean();
        long basedOn = from.ReadInt64();
        return e with { Base = hasBase ? basedOn : null, LostAfter = from.ReadInt64(), DurableAt = from.ReadInt64(), Node = from.ReadInt32() };
    }
}
