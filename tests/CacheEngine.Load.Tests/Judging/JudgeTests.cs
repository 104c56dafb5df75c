using CacheEngine.Load.Judging;
using CacheEngine.Load.Measuring;

namespace CacheEngine.Load.Tests.Judging;

public sealed class JudgeTests
{
    [Fact]
    public void OfEveryRun_AHealthyRun_Passes() =>
        Assert.All(Judge.All(LoadThreshold.OfEveryRun, Results.Healthy), static verdict => Assert.True(verdict.IsPassed, verdict.Threshold.Name));

    [Fact]
    public void Stale_OneIsTooMany() => AssertBroken(Results.WithFailures(("stale", 1)), LoadMetric.Stale, actual: 1);

    [Fact]
    public void Failed_CountsAllReasonsButStale() =>
        AssertBroken(Results.WithFailures(("a", 2), ("b", 1)) with { Unfinished = 4 }, LoadMetric.Failed, actual: 7);

    [Fact]
    public void Shed_OneIsTooMany() => AssertBroken(Results.Healthy with { Shed = 1 }, LoadMetric.Shed, actual: 1);

    [Fact]
    public void RefusedMessages_OneIsTooMany() =>
        AssertBroken(Results.Healthy with { Figures = Results.Healthy.Figures with { RefusedMessages = 1 } }, LoadMetric.RefusedMessages, actual: 1);

    [Fact]
    public void AchievedShare_IsAFloor() => AssertBroken(Results.Healthy with { Elapsed = TimeSpan.FromSeconds(2) }, LoadMetric.AchievedShare, actual: 0.5);

    [Fact]
    public void AchievedShare_OfNothing_IsBroken()
    {
        RunResult idle = Results.Healthy with { Arrived = 0, All = Results.Healthy.All with { Count = 0 } };
        AssertBroken(idle, LoadMetric.AchievedShare, actual: 0);
    }

    [Theory]
    [InlineData(LoadMetric.P50, null, 0.01, true)]
    [InlineData(LoadMetric.P50, null, 0.009, false)]
    [InlineData(LoadMetric.P99, null, 1, true)]
    [InlineData(LoadMetric.P999, null, 20, true)]
    [InlineData(LoadMetric.P999, null, 19, false)]
    [InlineData(LoadMetric.P99, "write", 20, true)]
    [InlineData(LoadMetric.P99, "write", 1, false)]
    [InlineData(LoadMetric.P99, "never seen", 1_000, false)]
    public void Latency_IsHeldAgainstItsStep(LoadMetric metric, string? step, double limit, bool isPassed)
    {
        ThresholdVerdict verdict = Judge.All([new LoadThreshold(metric, limit, "", step)], Results.Healthy).Single();
        Assert.Equal(isPassed, verdict.IsPassed);
    }

    private static void AssertBroken(RunResult result, LoadMetric metric, double actual)
    {
        ThresholdVerdict broken = Judge.All(LoadThreshold.OfEveryRun, result).Single(static verdict => !verdict.IsPassed);
        Assert.Equal((metric, actual), (broken.Threshold.Metric, broken.Actual));
    }
}
