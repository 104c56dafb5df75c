namespace CacheEngine.Core.Tests.Caps;

public class OpenModeTests
{
    [Theory]
    [Rule("MODE-1", "MODE-2")]
    [InlineData(0, OpenMode.Pin, 0x0001, "p")]
    [InlineData(1, OpenMode.Read, 0x0D01, "pFscr")]
    [InlineData(2, OpenMode.Write, 0x32CD, "pAsxXsxFxwb")]
    [InlineData(3, OpenMode.ReadWrite, 0x3FCD, "pAsxXsxFsxcrwb")]
    [InlineData(4, OpenMode.Lazy, 0x8001, "pFl")]
    [InlineData(5, OpenMode.Lazy | OpenMode.Read, 0x8D01, "pFscrl")]
    [InlineData(6, OpenMode.Lazy | OpenMode.Write, 0xB2CD, "pAsxXsxFxwbl")]
    [InlineData(7, OpenMode.Lazy | OpenMode.ReadWrite, 0xBFCD, "pAsxXsxFsxcrwbl")]
    public void Wanted_IsCephsTable(int number, OpenMode mode, uint bits, string text)
    {
        Assert.Equal(number, (int)mode);
        Assert.Equal(bits, mode.Wanted().Bits);
        Assert.Equal(text, mode.Wanted().ToString());
    }

    [Theory]
    [Rule("MODE-1")]
    [InlineData(-1)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(int.MinValue)]
    public void Wanted_UndefinedMode_IsRefused(int number) =>
        Assert.Throws<ArgumentOutOfRangeException>("mode", () => ((OpenMode)number).Wanted());
}
