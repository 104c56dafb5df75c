using CacheEngine.Load.Judging;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests;

/// <summary>Each scenario for a second, against CacheEngine itself. Nothing about time is judged: tests may run on a busy machine.</summary>
public sealed class SmokeTests
{
    public static TheoryData<string> Names => new([.. ScenarioCatalog.All.Select(static scenario => scenario.Name)]);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Scenario_ForASecond_IsCoherent(string name)
    {
        LoadScenario scenario = ScenarioCatalog.Find(name)!;
        RunResult result = await LoadRun.ExecuteAsync(scenario, scenario.Defaults with { Seconds = 1, Rate = Math.Min(500, scenario.Defaults.Rate) });
        Assert.Empty(result.Failures);
        Assert.True(result.All.Count > 0);
        Assert.True(result.Figures.Lookups > result.Figures.Hits);
        Assert.True(result.Figures.Hits > 0);
        Assert.All(
            Judge.All(scenario.Thresholds, result),
            static verdict => Assert.True(verdict.IsPassed || verdict.Threshold.Metric > LoadMetric.RefusedMessages, verdict.Threshold.Name));
    }
}
