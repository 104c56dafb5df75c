using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

public class ConflictTableTests
{
    [Theory]
    [Rule("CAP-02", "CAP-03")]
    [InlineData("pFsxcrwb", "Fw", "Fr", "pFrw")] // a reader joins a writer: mixed mode
    [InlineData("pFsxcrwb", "-", "Fr", "pFscr")] // the writer has gone: both cache
    [InlineData("pFsxcrwb", "Fw", "Fscr", "pFscr")] // the reader needs the cache: the writer yields
    [InlineData("pFscr", "Fscr", "Fscr", "pFscr")]
    [InlineData("pFscr", "Fscr", "Fw", "pFr")]
    [InlineData("pFscr", "Fscr", "Fsxcrw", "p")]
    [InlineData("pFscr", "Fscr", "Fwb", "p")]
    [InlineData("pFrw", "Fw", "Fw", "pFrw")]
    [InlineData("pFrwa", "-", "Fr", "pFr")]
    [InlineData("pAsxFscr", "Fscr", "As", "pAsFscr")]
    [InlineData("pAsxLsxXsxFscr", "Fscr", "AxLxXx", "pFscr")]
    [InlineData("pFsxcrwb", "Fw", "As", "pFsxcrwb")]
    [InlineData("pAsx", "-", "Fsxcrw", "pAsx")]
    public void Keep(string held, string wanted, string need, string keep) =>
        Assert.Equal(keep, ConflictTable.Keep(Literals.Cap(held), Literals.Cap(wanted), Literals.Cap(need)).ToString());
}
