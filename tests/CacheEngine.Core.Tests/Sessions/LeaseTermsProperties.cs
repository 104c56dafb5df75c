using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

/// <summary>Times that one clock was told and another measures: the rates differ by the drift, each reading by one granule.</summary>
[Rule("P06")]
public class LeaseTermsProperties
{
    [Fact]
    public void WhatIsMeasuredElsewhere_IsOverHereByTheLatest() => ForEach(static (terms, time, where) =>
    {
        // Elsewhere the clock is slower by the whole drift, and both of its readings are off by one granule.
        double longest = (time * (1 + terms.ClockDrift)) + (2 * terms.GranularityMilliseconds);
        Assert.True(terms.AtMostElsewhere(time) >= longest - 1e-3, where);
    });

    [Fact]
    public void WhatIsOverHere_IsNotOverElsewhere() => ForEach(static (terms, time, where) =>
    {
        // Elsewhere the clock is faster by the whole drift.
        double shortest = (time / (1 + terms.ClockDrift)) - (2 * terms.GranularityMilliseconds);
        long within = terms.WithinElsewhere(time);
        Assert.True(within >= 0 && (within == 0 || within <= shortest + 1e-3), where);
        Assert.True(within <= time, where);
    });

    [Fact]
    public void LongerTimes_AreLonger() => ForEach(static (terms, time, where) =>
    {
        Assert.True(terms.AtMostElsewhere(time + 1) > terms.AtMostElsewhere(time), where);
        Assert.True(terms.WithinElsewhere(time + 1) >= terms.WithinElsewhere(time), where);
    });

    [Fact]
    public void NoTime_IsAtOnceOverHere()
    {
        var terms = new LeaseTerms(1_000, 0.01, 5, 5_000);
        Assert.Equal(0, terms.WithinElsewhere(0));
        Assert.Equal(0, terms.WithinElsewhere(10));
        Assert.Equal(1_000 - 10 - 10, terms.WithinElsewhere(1_000));
        Assert.Equal(1_000 + 10 + 10, terms.AtMostElsewhere(1_000));
    }

    private static void ForEach(Action<LeaseTerms, long, string> claim)
    {
        var random = new Random(20260102);
        for (int round = 0; round < 5_000; round++)
        {
            double drift = random.Next(3) switch { 0 => 0, 1 => 0.01, _ => random.NextDouble() * 0.1 };
            var terms = new LeaseTerms(10_000, drift, random.Next(0, 20), 50_000);
            long time = random.NextInt64(1, 1L << random.Next(1, 40));
            claim(terms, time, $"{time} ms, drift {drift}, granularity {terms.GranularityMilliseconds}");
        }
    }
}
