using CacheEngine.Load.Reports;

namespace CacheEngine.Load.Tests.Reports;

public sealed class UnitsTests
{
    [Theory]
    [InlineData(0, "0.00 µs")]
    [InlineData(0.0001, "0.10 µs")]
    [InlineData(0.0123, "12.3 µs")]
    [InlineData(0.123, "123 µs")]
    [InlineData(1, "1.00 ms")]
    [InlineData(45.6, "45.6 ms")]
    [InlineData(5_000, "5.00 s")]
    public void Duration_HasThreeDigitsAndAUnit(double milliseconds, string expected) =>
        Assert.Equal(expected, Units.Duration(TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond))));

    [Theory]
    [InlineData(494, "494 B")]
    [InlineData(1_536, "1.50 KiB")]
    [InlineData(10_485_760, "10.0 MiB")]
    public void Bytes_HaveAUnit(double bytes, string expected) => Assert.Equal(expected, Units.Bytes(bytes));

    [Fact]
    public void Ratio_OfNothing_IsADash() => Assert.Equal("-", Units.Ratio(0, 0));

    [Fact]
    public void Table_AlignsTextLeftAndFiguresRight()
    {
        var table = new TextTable("what", "figure");
        table.Add("a", "1");
        Assert.Equal("| what | figure |\n| ---- | -----: |\n| a    |      1 |\n", table.ToString());
    }
}
