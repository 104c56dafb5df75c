using CacheEngine.Load.Judging;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Reports;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests.Reports;

public sealed class ReportTests
{
    [Fact]
    public void Json_ReadBack_IsTheSame()
    {
        LoadReport report = Of(Results.WithFailures(("stale", 2)));
        string json = JsonReport.Write(report);
        Assert.Equal(json, JsonReport.Write(JsonReport.Read(json)));
        Assert.Equal(report.Parameters, JsonReport.Read(json).Parameters);
        Assert.Equal(report.Thresholds, JsonReport.Read(json).Thresholds);
        Assert.Contains("\"metric\": \"Stale\"", json);
        Assert.Contains("\"elapsed\": 1000000,", json);
    }

    [Fact]
    public void Json_OfWhatWasNotMeasured_IsNull()
    {
        LoadReport report = Of(Results.Healthy with { Steps = [], All = Results.Healthy.All with { Count = 0 } });
        Assert.Contains("\"actual\": null", JsonReport.Write(report));
        Assert.Contains("not measured", MarkdownReport.Write(report));
    }

    [Theory]
    [InlineData("# mixed-zipf: passed")]
    [InlineData("2,000 operations a second for 30 s on 3 nodes")]
    [InlineData(" cores (")]
    [InlineData("| hits  |   990 |        990 | 10.0 µs |")]
    [InlineData("| write |    10 |         10 | 20.0 ms |")]
    [InlineData("97.85 %")]
    [InlineData("20 / 600")]
    [InlineData("4.00 KiB")]
    [InlineData("3 / 2 / 1")]
    [InlineData("| stale            | pass    |")]
    [InlineData("| p99.9            | pass    |")]
    public void Markdown_TellsWhatARunWas(string expected) => Assert.Contains(expected, MarkdownReport.Write(Of(Results.Healthy)));

    [Fact]
    public void Markdown_OfABrokenRun_SaysSoFirst()
    {
        string text = MarkdownReport.Write(Of(Results.WithFailures(("stale", 2))));
        Assert.StartsWith("# mixed-zipf: FAILED", text);
        Assert.Contains("failed, 2 times: stale", text);
        Assert.Contains("| stale            | FAIL    |", text);
    }

    [Fact]
    public void Folder_HoldsBothFiles()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("load-reports-");
        try
        {
            string path = Path.Combine(folder.FullName, "new", "newer");
            Assert.True(ReportFolder.TryCreate(path, out _));
            ReportFolder.Write(path, Of(Results.Healthy));
            string[] files = [.. folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(static file => file.Extension).Order()];
            Assert.Equal([".json", ".md"], files);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Folder_WhereAFileIs_IsRefused()
    {
        string file = Path.GetTempFileName();
        Assert.False(ReportFolder.TryCreate(file, out string error));
        Assert.Contains(file, error);
        File.Delete(file);
    }

    [Fact]
    public void List_NamesAllScenarios() =>
        Assert.All(ScenarioCatalog.All, static scenario => Assert.Contains(scenario.Name, ScenarioList.Describe(ScenarioCatalog.All)));

    private static LoadReport Of(RunResult result)
    {
        LoadScenario scenario = ScenarioCatalog.Find("mixed-zipf")!;
        return LoadReport.Of(scenario, scenario.Defaults, result, Judge.All(scenario.Thresholds, result));
    }
}
