
namespace CacheEngine.Tests.Checking;

/// <summary>Forged histories: the smallest that breaks each rule, and its neighbours that break none.</summary>
public sealed class IntervalCheckerTests
{
    private readonly List<HistoryEvent> _history = [];

    [Fact]
    public void OneAfterTheOther_IsClean()
    {
        Write(1, version: 1, 0, 10);
        Read(1, version: 1, 20, 30);
        Write(2, version: 2, 40, 50);
        Read(2, version: 2, 60, 70);
        AssertClean();
    }

    [Fact]
    public void Read_OldValueAfterTheAcknowledgement_IsStale()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 30);
        Read(1, version: 1, 31, 40);
        AssertOnly("stale");
    }

    [Fact]
    public void Read_OldValueDuringTheWrite_IsClean()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 30);
        Read(1, version: 1, 30, 40);
        Read(1, version: 1, 15, 40);
        Read(2, version: 2, 20, 35);
        AssertClean();
    }

    [Fact]
    public void Read_OlderThanAnotherHasSeen_WentBack()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 100);
        Read(2, version: 2, 30, 40);
        Read(1, version: 1, 41, 50);
        AssertOnly("went back");
        Assert.Empty(IntervalChecker.Check(_history, seenBeforeAcknowledged: true));
    }

    [Fact]
    public void Read_OlderThanAConcurrentOne_IsClean()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 100);
        Read(2, version: 2, 30, 40);
        Read(1, version: 1, 35, 50);
        AssertClean();
    }

    [Fact]
    public void Read_AfterTheAcknowledgement_IsStaleEvenWhereGoingBackIsAllowed()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 30);
        Read(1, version: 1, 31, 40);
        Assert.Equal("stale", Assert.Single(IntervalChecker.Check(_history, seenBeforeAcknowledged: true)).Rule);
    }

    [Fact]
    public void Read_ValueOfNobody_WasNeverWritten()
    {
        Read(7, version: 1, 0, 10);
        AssertOnly("never written");
    }

    [Fact]
    public void Read_BeforeTheWriteWasCalled_IsFromTheFuture()
    {
        Read(1, version: 1, 0, 10);
        Write(1, version: 1, 11, 20);
        AssertHas("from the future");
    }

    [Fact]
    public void Read_WhileTheWriteIsPending_IsClean()
    {
        Write(1, version: 1, 0, 10);
        _history.Add(new HistoryEvent(EventKind.Write, 0, 2, HistoryEvent.Unversioned, 20, HistoryEvent.Pending, 0));
        Read(1, version: 1, 1_000, 1_010);
        Read(2, version: 2, 2_000, 2_010);
        AssertClean();
    }

    [Fact]
    public void Read_BackBehindASeenPendingWrite_WentBack()
    {
        Write(1, version: 1, 0, 10);
        _history.Add(new HistoryEvent(EventKind.Write, 0, 2, HistoryEvent.Unversioned, 20, HistoryEvent.Pending, 0));
        Read(2, version: 2, 30, 40);
        Read(1, version: 1, 50, 60);
        AssertOnly("went back");
    }

    [Fact]
    public void OneVersion_TwoValues_IsSplit()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 1, 0, 10);
        AssertOnly("split version");
    }

    [Fact]
    public void OneValue_TwoVersions_IsSplit()
    {
        Write(1, version: 1, 0, 10);
        Read(1, version: 2, 0, 10);
        AssertOnly("split version");
    }

    [Fact]
    public void Absence_ManyVersions_IsClean()
    {
        Write(HistoryEvent.Absent, version: 1, 0, 10);
        Write(5, version: 2, 20, 30);
        Write(HistoryEvent.Absent, version: 3, 40, 50);
        Read(HistoryEvent.Absent, version: 3, 60, 70);
        AssertClean();
    }

    [Fact]
    public void Read_AbsenceOfBeforeTheWrite_IsStale()
    {
        Write(HistoryEvent.Absent, version: 1, 0, 10);
        Write(5, version: 2, 20, 30);
        Read(HistoryEvent.Absent, version: 1, 40, 50);
        AssertOnly("stale");
    }

    [Fact]
    public void Writes_VersionsAgainstTheirOrder_IsWriteOrder()
    {
        Write(1, version: 2, 0, 10);
        Write(2, version: 1, 11, 20);
        AssertOnly("write order");
    }

    [Fact]
    public void Writes_AtOnce_MayBeInEitherOrder()
    {
        Write(1, version: 2, 0, 10);
        Write(2, version: 1, 10, 20);
        AssertClean();
    }

    [Fact]
    public void Load_ReadersTogether_IsCleanWithoutAVersion()
    {
        Load(9, 0, 10);
        Write(1, version: 1, 2, 4);
        Read(9, HistoryEvent.Unversioned, 0, 12);
        Read(9, HistoryEvent.Unversioned, 1, 12);
        AssertClean();
    }

    [Fact]
    public void Load_OvertakenAndServedToALatecomer_IsOvertaken()
    {
        // Versions 1 and 2 are taken and enclose it: the load was never stored, yet somebody who called after its end was given its value.
        Load(9, 0, 10);
        Write(1, version: 1, 0, 12);
        Read(9, HistoryEvent.Unversioned, 0, 13);
        Write(2, version: 2, 14, 15);
        Read(9, HistoryEvent.Unversioned, 20, 30);
        AssertOnly("overtaken");
    }

    [Fact]
    public void Load_StoredForAWhile_NeedsAFreeVersion()
    {
        Load(9, 0, 10);
        Write(1, version: 1, 0, 5);
        Read(9, HistoryEvent.Unversioned, 0, 13);
        Read(9, HistoryEvent.Unversioned, 20, 30);
        Write(3, version: 3, 40, 50);
        AssertClean();

        Write(2, version: 2, 31, 39);
        AssertOnly("overtaken");
    }

    [Fact]
    public void Keys_AreJudgedApart()
    {
        Write(1, version: 1, 0, 10);
        _history.Add(new HistoryEvent(EventKind.Write, 1, 2, 2, 0, 10, 0));
        Read(1, version: 1, 20, 30);
        AssertClean();
        _history.Add(new HistoryEvent(EventKind.Read, 1, 3, 3, 20, 30, 0));
        Assert.Equal(1, Assert.Single(IntervalChecker.Check(_history)).Key);
    }

    [Fact]
    public void Check_ManyContradictions_StopsAtTheLimit()
    {
        for (int i = 0; i < 50; i++)
        {
            Read(100 + i, version: i + 1, i * 10, (i * 10) + 5);
        }

        Assert.Equal(3, IntervalChecker.Check(_history, limit: 3).Count);
    }

    [Fact]
    public void ClientLog_RunOfEqualReads_IsOneEventOfTheLatestCallAndTheEarliestReturn()
    {
        var history = new History();
        ClientLog log = history.AddClient(keys: 2);
        log.Write(0, 1, 1, 1, 2);
        log.Read(0, 1, 1, 10, 20);
        log.Read(1, HistoryEvent.Absent, 4, 10, 20);
        log.Read(0, 1, 1, 30, 40);
        log.Read(0, 1, 1, 50, 60);
        log.Read(0, 2, 2, 70, 80);

        Assert.Equal(5, log.Reads);
        HistoryEvent[] reads = [.. history.Events().Where(e => e.Kind == EventKind.Read && e.Key == 0).OrderBy(e => e.Version)];
        Assert.Equal([(1L, 50L, 20L), (2L, 70L, 80L)], reads.Select(e => (e.Version, e.Call, e.Return)));
    }

    [Fact]
    public void ClientLog_MergedRun_StillShowsItsLastReadStaleAndOthersGoingBack()
    {
        var stale = new History();
        ClientLog log = stale.AddClient(1);
        log.Write(0, 1, 1, 1, 2);
        log.Read(0, 1, 1, 10, 20);
        stale.AddClient(1).Write(0, 2, 2, 25, 28);
        log.Read(0, 1, 1, 30, 40);
        Assert.Equal("stale", Assert.Single(IntervalChecker.Check(stale.Events())).Rule);

        var back = new History();
        log = back.AddClient(1);
        log.Write(0, 1, 1, 1, 2);
        back.AddClient(1).Write(0, 2, 2, 5, 100);
        log.Read(0, 2, 2, 10, 20);
        back.AddClient(1).Read(0, 1, 1, 30, 40);
        log.Read(0, 2, 2, 50, 60);
        Assert.Equal("went back", Assert.Single(IntervalChecker.Check(back.Events())).Rule);
    }

    [Fact]
    public void ClientLog_UnversionedReads_AreNotMerged()
    {
        var history = new History();
        ClientLog log = history.AddClient(1);
        log.Read(0, 9, HistoryEvent.Unversioned, 1, 2);
        log.Read(0, 9, HistoryEvent.Unversioned, 3, 4);
        Assert.Equal(2, history.Events().Count);
    }

    private void Write(long value, long version, long call, long @return) =>
        _history.Add(new HistoryEvent(EventKind.Write, 0, value, version, call, @return, 0));

    private void Read(long value, long version, long call, long @return) =>
        _history.Add(new HistoryEvent(EventKind.Read, 0, value, version, call, @return, 1));

    private void Load(long value, long start, long end) =>
        _history.Add(new HistoryEvent(EventKind.Load, 0, value, HistoryEvent.Unversioned, start, end, 2));

    private void AssertClean() => Assert.Empty(IntervalChecker.Check(_history));

    private void AssertHas(string rule) => Assert.Contains(rule, IntervalChecker.Check(_history).Select(violation => violation.Rule));

    private void AssertOnly(string rule) => Assert.Equal([rule], IntervalChecker.Check(_history).Select(violation => violation.Rule).Distinct());
}
