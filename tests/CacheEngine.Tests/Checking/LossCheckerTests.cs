namespace CacheEngine.Tests.Checking;

/// <summary>Forged histories and reports: version 1 is kept, versions 2 and 3 of node 0 are undone, version 10 is the first again.</summary>
public sealed class LossCheckerTests
{
    private readonly History _history = new();
    private readonly ClientLog _log;

    public LossCheckerTests()
    {
        _log = _history.AddClient(keys: 1, node: 0);
        _log.Write(0, 1, 1, 0, 10);
        _log.Buffer(0, 2, 2, 20, 30);
        _history.AddClient(keys: 1, node: 0).Buffer(0, 3, 3, 31, 40);
        _history.Restored(0, 1, version: 10, lostAfter: 1, 50, 60);
    }

    [Fact]
    public void Loss_ToldExactly_IsClean()
    {
        AssertRules([], new ToldLoss(0, 0, 2, 3));
        AssertRules([], new ToldLoss(0, 0, 2, 2), new ToldLoss(0, 0, 3, 3));
    }

    [Fact]
    public void Loss_NotTold_IsFound()
    {
        AssertRules(["loss not told", "loss not told"]);
        AssertRules(["loss not told"], new ToldLoss(0, 0, 2, 2));
        AssertRules(["loss not told"], new ToldLoss(0, 0, 3, 3));
    }

    [Fact]
    public void Loss_OfAnotherKey_IsNotTheLossAndInVain() =>
        AssertRules(["loss not told", "loss not told", "loss told in vain"], new ToldLoss(0, 1, 2, 3));

    [Fact]
    public void Loss_ToldByAnotherNode_IsNotTold() =>
        AssertRules(["loss not told", "loss not told"], new ToldLoss(1, 0, 2, 3));

    [Fact]
    public void Loss_OfADeadNode_NeedsNoReport()
    {
        Assert.Empty(LossChecker.Check(_history.Events(), [], new HashSet<int> { 0 }));
        Assert.Equal(2, LossChecker.Check(_history.Events(), [], new HashSet<int> { 1 }).Count);
    }

    [Fact]
    public void Write_NotAcknowledged_NeedsNoReport()
    {
        _log.Buffer(0, 4, 4, 41, HistoryEvent.Pending);
        _log.Buffer(0, 5, HistoryEvent.Unversioned, 41, HistoryEvent.Pending);
        AssertRules([], new ToldLoss(0, 0, 2, 3));
        AssertRules([], new ToldLoss(0, 0, 2, 5));
    }

    [Fact]
    public void Write_Through_IsForTheOtherChecker()
    {
        _log.Write(0, 4, 4, 41, 45);
        AssertRules([], new ToldLoss(0, 0, 2, 3));
    }

    [Fact]
    public void Write_NotUndone_NeedsNoReport()
    {
        _log.Buffer(0, 11, 11, 70, 80);
        AssertRules([], new ToldLoss(0, 0, 2, 3));
    }

    [Fact]
    public void Report_OfTheKept_IsInVain() => AssertRules(["loss told in vain"], new ToldLoss(0, 0, 1, 3));

    [Fact]
    public void Report_OfTheRestored_IsInVain() => AssertRules(["loss told in vain"], new ToldLoss(0, 0, 2, 10));

    [Fact]
    public void Report_OfNothing_IsInVain() => AssertRules(["loss told in vain"], new ToldLoss(0, 0, 2, 3), new ToldLoss(0, 0, 3, 2));

    [Fact]
    public void Report_OfALaterWriteThatNobodyUndid_IsInVain()
    {
        _log.Buffer(0, 11, 11, 70, 80);
        AssertRules(["loss told in vain"], new ToldLoss(0, 0, 2, 3), new ToldLoss(0, 0, 11, 11));
    }

    [Fact]
    public void Report_OverTwoRestores_IsInVain()
    {
        _log.Buffer(0, 11, 11, 70, 80);
        _history.Restored(0, 1, version: 20, lostAfter: 10, 90, 100);
        AssertRules([], new ToldLoss(0, 0, 2, 3), new ToldLoss(0, 0, 11, 11));
        AssertRules(["loss told in vain"], new ToldLoss(0, 0, 2, 11));
    }

    [Fact]
    public void Report_OfWhatAFlushHadSaved_IsInVain()
    {
        // That the restore undid it all the same is the authority's fault: IntervalChecker calls it a lost write.
        _log.Flushed(0, 2, 41, 45);
        AssertRules(["loss told in vain"], new ToldLoss(0, 0, 2, 3));
        AssertRules([], new ToldLoss(0, 0, 3, 3));
        Assert.Equal("lost write", Assert.Single(IntervalChecker.Check(_history.Events())).Rule);
    }

    [Fact]
    public void Flush_NotBeforeTheRestore_SavesNothing()
    {
        _log.Flushed(0, 2, 41, 50);
        _log.Flushed(0, 3, 41, HistoryEvent.Pending);
        _log.Flushed(0, 12, 70, 80);
        AssertRules([], new ToldLoss(0, 0, 2, 3));
    }

    [Fact]
    public void Check_ManyContradictions_StopsAtTheLimit() => Assert.Single(LossChecker.Check(_history.Events(), [], limit: 1));

    private void AssertRules(string[] rules, params ToldLoss[] reports) =>
        Assert.Equal(rules, LossChecker.Check(_history.Events(), reports).Select(violation => violation.Rule));
}
