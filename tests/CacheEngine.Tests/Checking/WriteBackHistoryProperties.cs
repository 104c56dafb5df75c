namespace CacheEngine.Tests.Checking;

/// <summary>
/// Histories of a correct cluster with write-back contradict nothing; each with one thing changed is caught.
/// </summary>
public sealed class WriteBackHistoryProperties
{
    private const int Seeds = 400;
    private const int Steps = 300;

    [Fact]
    public void Clean_ContradictsNothing()
    {
        int restores = 0;
        int undone = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            WriteBackModel run = WriteBackModel.Run(seed, Steps);
            AssertClean(seed, IntervalChecker.Check(run.Events));
            AssertClean(seed, IntervalChecker.Check(run.Events, seenBeforeAcknowledged: true));
            AssertClean(seed, LossChecker.Check(run.Events, run.Reports, run.DeadNodes));
            restores += run.Events.Count(e => e.Kind == EventKind.Restore);
            undone += Restores(run).Sum(restore => Undone(run, restore).Count());
        }

        Assert.True(restores > Seeds * 5 && undone > Seeds * 5, $"{restores} restores of {undone} versions: too tame");
    }

    [Fact]
    public void UndoneValueReadAfterTheRestore_IsResurrected() => AssertFound("resurrected", run =>
        Restores(run).Where(restore => restore.Return != HistoryEvent.Pending).SelectMany(
            restore => Undone(run, restore).Select(undone => With(run, Reread(undone, undone.Version, restore.Return + 1)))));

    [Fact]
    public void UndoneValueReadAfterTheRestoreWithoutItsVersion_IsResurrected() => AssertFound("resurrected", run =>
        Restores(run).Where(restore => restore.Return != HistoryEvent.Pending).SelectMany(
            restore => Undone(run, restore)
                .Where(undone => undone.Value != HistoryEvent.Absent)
                .Select(undone => With(run, Reread(undone, HistoryEvent.Unversioned, restore.Return + 1)))));

    [Fact]
    public void KeptVersionReadAfterTheRestore_IsStale() => AssertFound("stale", run =>
        Restores(run).Where(restore => restore.Return != HistoryEvent.Pending && restore.LostAfter != HistoryEvent.Unversioned).Select(
            restore => With(run, Reread(restore, restore.LostAfter, restore.Return + 1))));

    [Fact]
    public void UndoneVersionFlushedBefore_IsLostWrite() => AssertFound("lost write", run =>
        Restores(run).SelectMany(restore => Undone(run, restore).Select(undone => With(
            run,
            new HistoryEvent(
                EventKind.Flush, undone.Key, HistoryEvent.Absent, undone.Version, restore.Call - 2, restore.Call - 1, undone.Client)))));

    [Fact]
    public void DurableWriteUndone_IsLostWrite() => AssertFound("lost write", run =>
        Restores(run).SelectMany(restore => run.Events
            .Where(e => e.Key == restore.Key && e.Kind == EventKind.Write && e.Version > 1 && e.DurableAt < restore.Call)
            .Where(e => e.Version <= restore.LostAfter)
            .Select(e => Without(run, restore, restore with { LostAfter = e.Version - 1 }))));

    [Fact]
    public void OtherValueRestored_IsSplit() => AssertFound("split version", run =>
        Restores(run)
            .Where(restore => run.Events.Any(e => e.Kind == EventKind.Write && e.Key == restore.Key && e.Version == restore.LostAfter))
            .SelectMany(restore => Undone(run, restore)
                .Where(undone => undone.Value != restore.Value)
                .Select(undone => Without(run, restore, restore with { Value = undone.Value }))));

    [Fact]
    public void ValueRestoredWithoutARestore_IsSplit() => AssertFound("split version", run =>
        Restores(run)
            .Where(restore => restore.Value != HistoryEvent.Absent)
            .Where(restore => run.Events.Any(e => e.Kind == EventKind.Write && e.Value == restore.Value && e.Version != HistoryEvent.Unversioned))
            .Where(restore => run.Events.Any(e => e.Kind == EventKind.Read && e.Key == restore.Key && e.Version == restore.Version))
            .Select(restore => Without(run, restore)));

    [Fact]
    public void ReportWithheld_IsLossNotTold() => AssertLossFound("loss not told", run =>
        run.Reports
            .Where(report => run.Events.Any(e => MustBeTold(run, e, report)))
            .Select(report => LossChecker.Check(run.Events, run.Reports.Where(other => other != report), run.DeadNodes, int.MaxValue)));

    [Fact]
    public void ReportCutShort_IsLossNotTold() => AssertLossFound("loss not told", run =>
        run.Reports
            .Where(report => run.Events.Any(e => MustBeTold(run, e, report) && e.Version == report.Last))
            .Select(report => Changed(run, report, report with { Last = report.Last - 1 })));

    [Fact]
    public void ReportOfOneMore_IsLossToldInVain() => AssertLossFound("loss told in vain", run =>
        Restores(run).SelectMany(restore => run.Reports
            .Where(report => report.Key == restore.Key && restore.LostAfter < report.First && report.Last < restore.Version)
            .SelectMany(report => new[]
            {
                Changed(run, report, report with { First = restore.LostAfter }),
                Changed(run, report, report with { Last = restore.Version }),
            })));

    [Fact]
    public void DeadNodeTakenForALivingOne_IsLossNotTold() => AssertLossFound("loss not told", run =>
        run.DeadNodes
            .Where(node => Restores(run).Any(restore => Undone(run, restore).Any(e => e.Kind == EventKind.Write && e.Node == node)))
            .Select(node => LossChecker.Check(
                run.Events, run.Reports.Where(report => report.Node != node), run.DeadNodes.Except([node]).ToHashSet(), int.MaxValue)));

    /// <summary>
    /// The sweep gives each read of a restored value one version. Held against trying all of them: it finds a contradiction exactly if none will do.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void UnversionedReads_AreGivenAVersionThatFitsIfThereIsOne(bool seenBeforeAcknowledged)
    {
        int clean = 0;
        int broken = 0;
        for (int seed = 0; seed < 6_000; seed++)
        {
            List<HistoryEvent> events = Ambiguous(new Random(seed));
            bool isClean = IntervalChecker.Check(events, seenBeforeAcknowledged).Count == 0;
            bool isPossible = Assignments(events, 0).Any(chosen => IntervalChecker.Check(chosen, seenBeforeAcknowledged).Count == 0);
            Assert.True(isClean == isPossible, $"seed {seed}: {isClean}, but it is {isPossible}\n{string.Join('\n', events)}");
            clean += isClean ? 1 : 0;
            broken += isClean ? 0 : 1;
        }

        Assert.True(clean > 500 && broken > 500, $"{clean} clean, {broken} broken");
    }

    /// <summary>Value 1 is restored twice, and read without its version at any time.</summary>
    private static List<HistoryEvent> Ambiguous(Random random)
    {
        const int end = 100;
        const int jitter = 12;
        HistoryEvent Event(EventKind kind, long value, long version, int around)
        {
            int call = Math.Max(0, around - random.Next(jitter));
            return new HistoryEvent(kind, 0, value, version, call, around + random.Next(jitter), 0) { DurableAt = HistoryEvent.Pending };
        }

        List<HistoryEvent> events =
        [
            Event(EventKind.Write, 1, 1, 0),
            Event(EventKind.Write, 2, 2, 25),
            Event(EventKind.Write, 4, 11, 65),
            Event(EventKind.Restore, 1, 20, 85) with { LostAfter = 10 },
            Event(EventKind.Restore, 1, 10, 45) with { LostAfter = 1 },
        ];
        for (int i = 0; i < 3; i++)
        {
            events.Add(Event(EventKind.Read, 1, HistoryEvent.Unversioned, random.Next(end)));
        }

        events.Add(random.Next(3) switch
        {
            0 => Event(EventKind.Read, 2, 2, 35),
            1 => Event(EventKind.Read, 1, 10, 55),
            _ => Event(EventKind.Read, 4, 11, 75),
        });
        return events;
    }

    private static IEnumerable<List<HistoryEvent>> Assignments(List<HistoryEvent> events, int from)
    {
        int at = events.FindIndex(from, e => e.Version == HistoryEvent.Unversioned);
        if (at < 0)
        {
            return [events];
        }

        HistoryEvent read = events[at];
        return events
            .Where(e => e.Value == read.Value && e.Kind != EventKind.Read && (e.Kind == EventKind.Write || e.Call <= read.Return))
            .SelectMany(e => Assignments([.. events[..at], read with { Version = e.Version }, .. events[(at + 1)..]], at + 1));
    }

    private static IEnumerable<HistoryEvent> Restores(WriteBackModel run) => run.Events.Where(e => e.Kind == EventKind.Restore);

    /// <summary>The events that tell a version which a restore undid.</summary>
    private static IEnumerable<HistoryEvent> Undone(WriteBackModel run, HistoryEvent restore) => run.Events.Where(
        e => e.Key == restore.Key
            && e.Kind is EventKind.Read or EventKind.Write
            && restore.LostAfter < e.Version
            && e.Version < restore.Version);

    private static HistoryEvent Reread(HistoryEvent seen, long version, long call) =>
        new(EventKind.Read, seen.Key, seen.Value, version, call, call + 1, seen.Client);

    private static bool MustBeTold(WriteBackModel run, HistoryEvent e, ToldLoss report) =>
        e.Kind == EventKind.Write
        && !run.DeadNodes.Contains(e.Node)
        && e.Key == report.Key
        && e.Node == report.Node
        && e.Return != HistoryEvent.Pending
        && report.First <= e.Version
        && e.Version <= report.Last;

    private static IEnumerable<HistoryEvent> With(WriteBackModel run, HistoryEvent added) => run.Events.Append(added);

    private static IEnumerable<HistoryEvent> Without(WriteBackModel run, HistoryEvent removed, params HistoryEvent[] added) =>
        run.Events.Where(e => e != removed).Concat(added);

    private static List<Violation> Changed(WriteBackModel run, ToldLoss removed, ToldLoss added) =>
        LossChecker.Check(run.Events, run.Reports.Where(report => report != removed).Append(added), run.DeadNodes, int.MaxValue);

    private static void AssertFound(string rule, Func<WriteBackModel, IEnumerable<IEnumerable<HistoryEvent>>> mutate) =>
        AssertLossFound(rule, run => mutate(run).Take(3).Select(events => IntervalChecker.Check(events, limit: int.MaxValue)));

    private static void AssertLossFound(string rule, Func<WriteBackModel, IEnumerable<List<Violation>>> check)
    {
        int mutants = 0;
        for (int seed = 0; seed < Seeds / 4; seed++)
        {
            foreach (List<Violation> violations in check(WriteBackModel.Run(seed, Steps)))
            {
                mutants++;
                Assert.True(violations.Any(violation => violation.Rule == rule), $"seed {seed}: no {rule}, but {string.Join('\n', violations)}");
            }
        }

        Assert.True(mutants > 20, $"{mutants} mutants are too few");
    }

    private static void AssertClean(int seed, List<Violation> violations) =>
        Assert.True(violations.Count == 0, $"seed {seed}: {string.Join('\n', violations)}");
}
