namespace CacheEngine.Tests.Checking;

/// <summary>
/// Forged histories of a node whose buffered writes were undone: the smallest that breaks each rule, and its neighbours that break none.
/// </summary>
public sealed class IntervalCheckerRestoreTests
{
    private readonly List<HistoryEvent> _history = [];

    [Fact]
    public void Restore_KeptValueUnderANewVersion_IsClean()
    {
        UndoTwo();
        Read(1, version: 10, 70, 80);
        Write(4, version: 11, 90, 100);
        Read(4, version: 11, 110, 120);
        AssertClean();
    }

    [Fact]
    public void Restore_Absence_IsClean()
    {
        Buffer(2, version: 1, 0, 10);
        Restore(HistoryEvent.Absent, version: 5, lostAfter: HistoryEvent.Unversioned, 20, 30);
        Read(HistoryEvent.Absent, version: 5, 40, 50);
        AssertClean();
    }

    [Fact]
    public void Restore_OfARestored_IsClean()
    {
        UndoTwo();
        Buffer(4, version: 11, 70, 80);
        Restore(1, version: 20, lostAfter: 10, 90, 100);
        Read(1, version: 20, 110, 120);
        Write(5, version: 21, basedOn: 1, 130, 140);
        AssertClean();
    }

    [Fact]
    public void Read_UndoneValueAfterTheRestore_IsResurrected()
    {
        UndoTwo();
        Read(3, version: 3, 61, 70);
        AssertOnly("resurrected");
        Assert.Equal(["resurrected"], Rules(seenBeforeAcknowledged: true));
    }

    [Fact]
    public void Read_UndoneValueAfterANewerWrite_IsResurrectedStill()
    {
        UndoTwo();
        Write(4, version: 11, 70, 80);
        Read(2, version: 2, 90, 100);
        AssertOnly("resurrected");
    }

    [Fact]
    public void Read_KeptVersionAfterTheRestore_IsStale()
    {
        UndoTwo();
        Read(1, version: 1, 61, 70);
        AssertOnly("stale");
    }

    [Fact]
    public void Read_UndoneValueAfterItsOwnRestoreOnly_IsResurrected()
    {
        // The first restore has nothing to do with the write that the second one undid.
        UndoTwo();
        Buffer(4, version: 11, 70, 80);
        Restore(1, version: 20, lostAfter: 10, 90, 120);
        Read(4, version: 11, 110, 130);
        AssertClean();
        Read(4, version: 11, 121, 130);
        AssertOnly("resurrected");
    }

    [Fact]
    public void Read_OverwrittenValueThatIsUndoneLater_IsStale()
    {
        UndoTwo();
        Read(2, version: 2, 41, 45);
        AssertOnly("stale");
    }

    [Fact]
    public void Read_DuringTheRestore_MaySeeEither()
    {
        UndoTwo();
        Read(3, version: 3, 51, 70);
        Read(3, version: 3, 60, 70);
        Read(1, version: 10, 50, 60);
        AssertClean();
    }

    [Fact]
    public void Read_UndoneValueAfterTheRestoredWasSeen_WentBack()
    {
        UndoTwo();
        Read(1, version: 10, 51, 53);
        Read(3, version: 3, 54, 58);
        AssertOnly("went back");
    }

    [Fact]
    public void Read_WhileTheRestoreIsPending_MaySeeEither()
    {
        Write(1, version: 1, 0, 10);
        Buffer(2, version: 2, 20, 30);
        Restore(1, version: 10, lostAfter: 1, 40, HistoryEvent.Pending);
        Read(2, version: 2, 1_000, 1_010);
        Read(1, version: 10, 2_000, 2_010);
        AssertClean();
    }

    [Fact]
    public void Read_BeforeAnyRestore_KeptVersionIsStale()
    {
        // Undone later is no excuse: nobody else may see the value below an acknowledged one while it stands.
        UndoTwo();
        Read(1, version: 1, 41, 45);
        AssertOnly("stale");
    }

    [Fact]
    public void Read_RestoredVersionBeforeTheRestore_IsWriteOrder()
    {
        UndoTwo();
        Read(1, version: 10, 42, 44);
        AssertHas("write order");
    }

    [Fact]
    public void Restore_NotAboveWhatItUndoes_IsWriteOrder()
    {
        Write(1, version: 1, 0, 10);
        Buffer(2, version: 5, 20, 30);
        Restore(1, version: 3, lostAfter: 1, 40, 50);
        AssertOnly("write order");
    }

    [Fact]
    public void Restore_NotAboveWhatItKeeps_IsWriteOrder()
    {
        Restore(HistoryEvent.Absent, version: 3, lostAfter: 3, 40, 50);
        AssertOnly("write order");
    }

    [Fact]
    public void Write_InTheUndoneRangeAfterTheRestore_IsWriteOrder()
    {
        UndoTwo();
        Buffer(4, version: 4, 61, 70);
        AssertOnly("write order");
    }

    [Fact]
    public void Write_InTheUndoneRangeDuringTheRestore_IsClean()
    {
        UndoTwo();
        Buffer(4, version: 4, 55, 70);
        AssertClean();
    }

    [Fact]
    public void OneValue_TwoVersionsWithoutARestore_IsSplit()
    {
        UndoTwo();
        Read(1, version: 11, 70, 80);
        AssertOnly("split version");
    }

    [Fact]
    public void OneValue_WrittenAndRestoredUnderOneVersion_IsSplit()
    {
        Write(1, version: 1, 0, 10);
        Write(1, version: 10, 20, 30);
        Restore(1, version: 10, lostAfter: 1, 20, 30);
        AssertOnly("split version");
    }

    [Fact]
    public void Restore_OtherValueThanTheKept_IsSplit()
    {
        Write(1, version: 1, 0, 10);
        Buffer(2, version: 2, 20, 30);
        Restore(2, version: 10, lostAfter: 1, 40, 50);
        AssertHas("split version");
    }

    [Fact]
    public void Restore_AbsenceInsteadOfTheKept_IsSplit()
    {
        Write(1, version: 1, 0, 10);
        Restore(HistoryEvent.Absent, version: 10, lostAfter: 1, 40, 50);
        AssertOnly("split version");
    }

    [Fact]
    public void Restore_ValueWhereNothingWasKept_IsSplit()
    {
        Buffer(2, version: 2, 20, 30);
        Restore(2, version: 10, lostAfter: HistoryEvent.Unversioned, 40, 50);
        AssertOnly("split version");
    }

    [Fact]
    public void Restore_OtherValueReadUnderItsVersion_IsSplit()
    {
        UndoTwo();
        Read(3, version: 10, 70, 80);
        AssertHas("split version");
    }

    [Fact]
    public void Restore_ValueOfNobody_WasNeverWritten()
    {
        Restore(7, version: 10, lostAfter: 1, 40, 50);
        AssertOnly("never written");
    }

    [Fact]
    public void Restore_ValueWrittenLater_IsFromTheFuture()
    {
        Restore(7, version: 10, lostAfter: 1, 40, 50);
        _history.Add(new HistoryEvent(EventKind.Write, 0, 7, HistoryEvent.Unversioned, 60, HistoryEvent.Pending, 0));
        AssertOnly("from the future");
    }

    [Fact]
    public void UnversionedRead_RestoredValue_FitsBeforeAndAfter()
    {
        UndoTwo();
        Read(1, HistoryEvent.Unversioned, 11, 15);
        Read(1, HistoryEvent.Unversioned, 61, 70);
        AssertClean();
        Write(4, version: 11, 80, 90);
        Read(1, HistoryEvent.Unversioned, 91, 99);
        AssertOnly("stale");
    }

    [Fact]
    public void UnversionedRead_KeptValueBeforeTheRestore_IsStale()
    {
        UndoTwo();
        Read(1, HistoryEvent.Unversioned, 41, 45);
        AssertOnly("stale");
    }

    [Fact]
    public void UnversionedRead_LongOneOfTheFirstVersion_DoesNotMakeTheNextOneGoBack()
    {
        // The newest version that it may have seen is the restored one, but then the next read would have gone back.
        Write(1, version: 1, 0, 10);
        Buffer(2, version: 2, 15, 40);
        Restore(1, version: 10, lostAfter: 1, 50, 100);
        Read(1, HistoryEvent.Unversioned, 20, 60);
        Read(2, version: 2, 70, 80);
        AssertClean();
    }

    [Fact]
    public void UnversionedRead_AfterTheRestoredWasSeen_CountsAsTheRestored()
    {
        Write(1, version: 1, 0, 10);
        Buffer(2, version: 2, 20, 30);
        Restore(1, version: 10, lostAfter: 1, 50, 100);
        Read(1, HistoryEvent.Unversioned, 52, 54);
        Read(2, version: 2, 60, 70);
        AssertOnly("went back");
    }

    [Fact]
    public void UnversionedRead_BetweenTwoRestores_CountsAsTheFirst()
    {
        UndoTwo();
        Buffer(4, version: 11, 70, 200);
        Restore(1, version: 20, lostAfter: 10, 80, 200);
        Read(1, HistoryEvent.Unversioned, 65, 85);
        Read(4, version: 11, 90, 100);
        AssertClean();
        Read(1, HistoryEvent.Unversioned, 101, 110);
        Read(4, version: 11, 111, 120);
        AssertOnly("went back");
    }

    [Fact]
    public void UnversionedRead_UndoneValueAfterTheRestore_IsResurrected()
    {
        UndoTwo();
        Read(3, HistoryEvent.Unversioned, 55, 70);
        AssertClean();
        Read(3, HistoryEvent.Unversioned, 61, 70);
        AssertOnly("resurrected");
    }

    [Fact]
    public void UnversionedRead_RestoredLoadWhoseVersionNobodyElseWasTold_HasTheOneThatWasKept()
    {
        Load(9, 0, 5);
        Buffer(2, version: 2, 20, 30);
        Restore(9, version: 10, lostAfter: 1, 50, 60);
        Read(9, HistoryEvent.Unversioned, 0, 10);
        Read(9, HistoryEvent.Unversioned, 70, 80);
        AssertClean();
        Read(9, HistoryEvent.Unversioned, 35, 40);
        AssertOnly("stale");
    }

    [Fact]
    public void UnversionedRead_UndoneLoadWhoseVersionNobodyWasTold_IsFoundStill()
    {
        Write(1, version: 1, 0, 5);
        Load(9, 6, 10);
        Read(9, HistoryEvent.Unversioned, 6, 13);
        Restore(1, version: 10, lostAfter: 1, 50, 60);
        AssertClean();
        Read(9, HistoryEvent.Unversioned, 61, 70);
        AssertOnly("overtaken");
    }

    [Fact]
    public void UnversionedLoad_BesideAnAmbiguousRead_IsNotBoundByIt()
    {
        // Value 1 was seen after the load as the restored one, so the load's version is 5, though an older version of value 1 exists.
        Write(1, version: 1, 0, 1);
        Buffer(4, version: 4, 2, 50);
        Load(9, 10, 15);
        Read(9, HistoryEvent.Unversioned, 10, 20);
        Read(1, HistoryEvent.Unversioned, 25, 100);
        Read(9, HistoryEvent.Unversioned, 55, 58);
        Restore(1, version: 10, lostAfter: 1, 60, 90);
        AssertClean();
    }

    [Fact]
    public void Update_OfTheRestored_IsClean()
    {
        UndoTwo();
        Write(4, version: 11, basedOn: 1, 70, 80);
        AssertClean();
    }

    [Fact]
    public void Update_OfTheRestoredWithAnotherInBetween_IsLostUpdate()
    {
        UndoTwo();
        Write(4, version: 11, 70, 80);
        Write(5, version: 12, basedOn: 1, 90, 100);
        AssertOnly("lost update");
    }

    [Fact]
    public void Update_OfAnUndoneValue_IsLostUpdate()
    {
        UndoTwo();
        Write(5, version: 11, basedOn: 3, 70, 80);
        AssertOnly("lost update");
    }

    [Fact]
    public void Update_OfAKeptLoadWhoseVersionOnlyTheRestoreTells_IsClean()
    {
        Load(9, 0, 5);
        Buffer(3, version: 3, basedOn: 9, 10, 20);
        Restore(9, version: 10, lostAfter: 2, 50, 60);
        AssertClean();
    }

    [Fact]
    public void Restore_OfWhatWasWrittenThrough_IsLostWrite()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 30);
        Restore(1, version: 10, lostAfter: 1, 31, 50);
        AssertOnly("lost write");
    }

    [Fact]
    public void Restore_DuringTheWriteThrough_IsClean()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 30);
        Restore(1, version: 10, lostAfter: 1, 30, 50);
        AssertClean();
    }

    [Fact]
    public void Restore_OfWhatWasFlushed_IsLostWrite()
    {
        UndoTwo();
        Flush(version: 1, 41, 45);
        Flush(version: 3, 45, 50);
        AssertClean();
        Flush(version: 2, 45, 49);
        AssertOnly("lost write");
    }

    [Fact]
    public void Restore_WhileTheFlushIsPending_IsClean()
    {
        UndoTwo();
        Flush(version: 3, 20, HistoryEvent.Pending);
        AssertClean();
    }

    [Fact]
    public void Restore_OfABufferedWriteThatIsDurable_IsLostWrite()
    {
        Write(1, version: 1, 0, 10);
        _history.Add(new HistoryEvent(EventKind.Write, 0, 2, 2, 20, 30, 0) { DurableAt = 40 });
        Restore(1, version: 10, lostAfter: 1, 41, 50);
        AssertOnly("lost write");
    }

    [Fact]
    public void Restore_BehindAnEarlierRestore_IsLostWrite()
    {
        UndoTwo();
        Restore(1, version: 20, lostAfter: 1, 70, 80);
        AssertOnly("lost write");
    }

    [Fact]
    public void Flush_IsNeitherReadNorWrite()
    {
        Write(1, version: 1, 0, 10);
        Write(2, version: 2, 20, 30);
        Flush(version: 1, 40, 50);
        Flush(version: 7, 40, 50);
        Write(3, version: 3, basedOn: 2, 60, 70);
        Write(9, version: 9, basedOn: 3, 80, 90);
        AssertClean();
    }

    [Fact]
    public void History_RecordsWhatIsDurableAndWhatIsUndone()
    {
        var history = new History();
        ClientLog log = history.AddClient(keys: 1, node: 7);
        log.Write(0, 1, 1, 0, 10);
        log.Buffer(0, 2, 2, 20, 30, basedOn: 1);
        log.Flushed(0, 1, 31, 35);
        history.Restored(0, 1, version: 10, lostAfter: 1, 40, 50);
        history.AddClient(keys: 1).Read(0, 1, 10, 60, 70);

        HistoryEvent[] events = [.. history.Events().OrderBy(e => e.Call)];
        Assert.Equal(
            [EventKind.Write, EventKind.Write, EventKind.Flush, EventKind.Restore, EventKind.Read],
            events.Select(e => e.Kind));
        Assert.Equal([10, HistoryEvent.Pending, 35, 50], events[..4].Select(e => e.DurableAt));
        Assert.Equal([7, 7, 7, HistoryEvent.Nobody, 1], events.Select(e => e.Node));
        Assert.Equal([0, 0, 0, HistoryEvent.Nobody, 1], events.Select(e => e.Client));
        Assert.Equal((1L, 1L), (events[1].Base, events[3].LostAfter));
        Assert.Empty(IntervalChecker.Check(events));
    }

    /// <summary>Version 1 is kept, 2 and 3 are undone, and version 10 is the first again.</summary>
    private void UndoTwo()
    {
        Write(1, version: 1, 0, 10);
        Buffer(2, version: 2, 20, 30);
        Buffer(3, version: 3, 31, 40);
        Restore(1, version: 10, lostAfter: 1, 50, 60);
    }

    private void Write(long value, long version, long call, long @return) =>
        _history.Add(new HistoryEvent(EventKind.Write, 0, value, version, call, @return, 0));

    private void Write(long value, long version, long basedOn, long call, long @return) =>
        _history.Add(new HistoryEvent(EventKind.Write, 0, value, version, call, @return, 0) { Base = basedOn });

    private void Buffer(long value, long version, long call, long @return) =>
        _history.Add(new HistoryEvent(EventKind.Write, 0, value, version, call, @return, 0) { DurableAt = HistoryEvent.Pending });

    private void Buffer(long value, long version, long basedOn, long call, long @return) => _history.Add(
        new HistoryEvent(EventKind.Write, 0, value, version, call, @return, 0) { Base = basedOn, DurableAt = HistoryEvent.Pending });

    private void Read(long value, long version, long call, long @return) =>
        _history.Add(new HistoryEvent(EventKind.Read, 0, value, version, call, @return, 1));

    private void Load(long value, long start, long end) =>
        _history.Add(new HistoryEvent(EventKind.Load, 0, value, HistoryEvent.Unversioned, start, end, 2));

    private void Flush(long version, long call, long @return) =>
        _history.Add(new HistoryEvent(EventKind.Flush, 0, HistoryEvent.Absent, version, call, @return, 0));

    private void Restore(long value, long version, long lostAfter, long call, long @return) => _history.Add(
        new HistoryEvent(EventKind.Restore, 0, value, version, call, @return, HistoryEvent.Nobody) { LostAfter = lostAfter });

    private IEnumerable<string> Rules(bool seenBeforeAcknowledged = false) =>
        IntervalChecker.Check(_history, seenBeforeAcknowledged).Select(violation => violation.Rule).Distinct();

    private void AssertClean() => Assert.Empty(IntervalChecker.Check(_history));

    private void AssertHas(string rule) => Assert.Contains(rule, Rules());

    private void AssertOnly(string rule) => Assert.Equal([rule], Rules());
}
