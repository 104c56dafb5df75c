using CacheEngine.Arbitration;

namespace CacheEngine.Core.Tests.Arbitration;

public class RightsTests
{
    [Theory]
    [InlineData(nameof(RequestKind.Acquire), "pFr", false, "pFr")]
    [InlineData(nameof(RequestKind.Acquire), "pFr", true, "pFr")]
    [InlineData(nameof(RequestKind.Load), "pFr", false, "Fsxcrw")]
    [InlineData(nameof(RequestKind.Load), "pFr", true, "Fscr")]
    [InlineData(nameof(RequestKind.Write), "pFr", false, "Fsxcrw")]
    [InlineData(nameof(RequestKind.Write), "pFr", true, "Fsxcrw")]
    [InlineData(nameof(RequestKind.Remove), "pFr", false, "Fsxcrw")]
    [InlineData(nameof(RequestKind.Remove), "pFr", true, "Fsxcrw")]
    public void Need_FollowsFromTheRequestAndWhetherThereIsAValue(string kind, string need, bool hasValue, string needed) =>
        Assert.Equal(needed, Rights.NeededFor(Enum.Parse<RequestKind>(kind), Literals.Cap(need), hasValue).ToString());

    [Fact]
    public void UnknownRequest_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>("kind", () => Rights.NeededFor((RequestKind)99, CapSet.None, hasValue: false));

    [Fact]
    [Rule("CAP-01", "P01")]
    public void Exclusive_MeetsNobodyWhoServesOrMakesTheValue()
    {
        Assert.False(ConflictTable.Compatible(Rights.Exclusive, Rights.Serve));
        Assert.False(ConflictTable.Compatible(Rights.Exclusive, Rights.Exclusive));
        Assert.True(ConflictTable.Compatible(Rights.Serve, Rights.Serve));
        Assert.True(ConflictTable.Compatible(Rights.AfterWrite, Rights.AfterWrite));
        Assert.Equal("Fscr", Rights.Serve.ToString());
        Assert.Equal("pFscr", Rights.AfterWrite.ToString());
    }
}
