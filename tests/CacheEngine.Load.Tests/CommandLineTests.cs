using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void List_NamesNoScenario() => Assert.Null(Parse("list").Scenario);

    [Fact]
    public void Run_WithoutOptions_TakesTheDefaults()
    {
        CommandLine parsed = Parse("run", "cold-herd");
        Assert.Equal("cold-herd", parsed.Scenario!.Name);
        Assert.Equal(parsed.Scenario.Defaults, parsed.Parameters);
        Assert.Equal("load-reports", parsed.Folder);
    }

    [Fact]
    public void Run_WithAllOptions_TakesThem()
    {
        CommandLine parsed = Parse(
            "run", "mixed-zipf", "--rate", "10", "--seconds", "2", "--nodes", "4", "--latency", "0", "--seed", "9", "--out", "there");
        Assert.Equal(new LoadParameters(Rate: 10, Seconds: 2, Nodes: 4, LatencyMilliseconds: 0, Seed: 9), parsed.Parameters);
        Assert.Equal("there", parsed.Folder);
    }

    [Theory]
    [InlineData("Say 'list' or 'run NAME'.")]
    [InlineData("'walk' is neither", "walk")]
    [InlineData("'list' is neither", "list", "all")]
    [InlineData("The scenario's name must follow", "run")]
    [InlineData("The scenario's name must follow", "run", "--rate", "1")]
    [InlineData("There is no scenario 'warm-herd'; there are mixed-zipf, hot-key-revoke, cold-herd.", "run", "warm-herd")]
    [InlineData("There is no option '--speed'", "run", "cold-herd", "--speed", "1")]
    [InlineData("A whole number from 1 to 100000 must follow '--rate', not 'fast'", "run", "cold-herd", "--rate", "fast")]
    [InlineData("must follow '--rate', not '0'", "run", "cold-herd", "--rate", "0")]
    [InlineData("must follow '--rate', not '100001'", "run", "cold-herd", "--rate", "100001")]
    [InlineData("must follow '--rate', not '1.5'", "run", "cold-herd", "--rate", "1.5")]
    [InlineData("must follow '--seconds', not '-1'", "run", "cold-herd", "--seconds", "-1")]
    [InlineData("must follow '--seconds', not '99999999999'", "run", "cold-herd", "--seconds", "99999999999")]
    [InlineData("A whole number from 1 to 32 must follow '--nodes'.", "run", "cold-herd", "--nodes")]
    [InlineData("A folder must follow '--out'.", "run", "cold-herd", "--out")]
    public void BadArguments_AreExplained(string expected, params string[] args)
    {
        Assert.Null(CommandLine.Parse(args, out string error));
        Assert.Contains(expected, error);
    }

    private static CommandLine Parse(params string[] args)
    {
        CommandLine? parsed = CommandLine.Parse(args, out string error);
        Assert.True(parsed is not null, error);
        return parsed;
    }
}
