using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

public class LeaseTermsTests
{
    [Theory]
    [Rule("P06", "SES-08")]
    [InlineData(60_000, 0.001, 10, 80)]
    [InlineData(1_000, 0.0, 0, 0)]
    [InlineData(1_000, 0.0, 15, 30)]
    [InlineData(1_000, 0.01, 5, 20)]
    [InlineData(999, 0.01, 0, 10)]
    [InlineData(1_001, 0.01, 1, 13)]
    public void Margin_IsDriftTimesTermRoundedUpAndTwoGranules(long term, double drift, long granularity, long margin)
    {
        var terms = new LeaseTerms(term, drift, granularity, 5 * term);

        Assert.Equal(margin, terms.MarginMilliseconds);
        Assert.Equal(term, terms.TermMilliseconds);
        Assert.Equal(5 * term, terms.SessionTimeoutMilliseconds);
        Assert.Equal(7_000 + term - margin, terms.HolderDeadline(sentAt: 7_000));
        Assert.Equal(7_000 + term + margin, terms.SilentFrom(receivedAt: 7_000));
    }

    [Theory]
    [Rule("P06")]
    [InlineData(1_000, 0.01, 5)]
    [InlineData(60_000, 0.1, 16)]
    [InlineData(100, 0.2, 1)]
    public void SlowestHolder_StopsBeforeTheFastestAuthorityTakes(long term, double drift, long granularity)
    {
        var terms = new LeaseTerms(term, drift, granularity, 5 * term);

        // In true time: each clock is off by the whole drift, each reading by one granule, and the question takes no time.
        double holderStops = (terms.HolderDeadline(0) + granularity) / (1 - drift);
        double authorityTakes = (terms.SilentFrom(0) - granularity) / (1 + drift);

        Assert.True(holderStops < authorityTakes, $"{holderStops} against {authorityTakes}");
    }

    [Theory]
    [Rule("P32")]
    [InlineData(0, 0.0, 0, 1_000)]
    [InlineData(-1, 0.0, 0, 1_000)]
    [InlineData(1_000, -0.001, 0, 5_000)]
    [InlineData(1_000, 0.5, 0, 5_000)]
    [InlineData(1_000, double.NaN, 0, 5_000)]
    [InlineData(1_000, double.PositiveInfinity, 0, 5_000)]
    [InlineData(1_000, 0.0, -1, 5_000)]
    [InlineData(1_000, 0.0, 250, 5_000)]
    [InlineData(1_000, 0.4, 50, 5_000)]
    [InlineData(1_000, 0.01, 5, 1_000)]
    [InlineData(1_000, 0.01, 5, 1_020)]
    [InlineData(1_000, 0.01, 5, -1)]
    [InlineData(1_000, 0.0, long.MaxValue, 5_000)]
    [InlineData(1_000, 0.0, (long.MaxValue / 2) + 1, 5_000)]
    [InlineData(long.MaxValue, 0.01, 5, 5_000)]
    [InlineData(int.MaxValue + 1L, 0.01, 5, long.MaxValue)]
    public void UnsafeSetting_IsRefused(long term, double drift, long granularity, long sessionTimeout) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LeaseTerms(term, drift, granularity, sessionTimeout));

    [Theory]
    [Rule("P32")]
    [InlineData(1_000, 0.0, 249, 5_000)]
    [InlineData(1_000, 0.01, 5, 1_021)]
    [InlineData(1_000, 0.499, 0, 5_000)]
    [InlineData(1, 0.0, 0, 2)]
    [InlineData(int.MaxValue, 0.01, 5, long.MaxValue)]
    public void JustSafeSetting_IsTaken(long term, double drift, long granularity, long sessionTimeout) =>
        Assert.Equal(term, new LeaseTerms(term, drift, granularity, sessionTimeout).TermMilliseconds);

    [Theory]
    [InlineData(1_000, 0.01, 5, 326)]
    [InlineData(60_000, 0.001, 10, 19_973)]
    [InlineData(1, 0.0, 0, 1)]
    public void RenewInterval_LeavesThreeTriesInATerm(long term, double drift, long granularity, long interval) =>
        Assert.Equal(interval, new LeaseTerms(term, drift, granularity, 5 * term).RenewIntervalMilliseconds);
}
