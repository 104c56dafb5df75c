using Xunit.Abstractions;

namespace CacheEngine.Concurrency;

public class StressSoak(ITestOutputHelper output)
{
    [Fact]
    public async Task EightNodes_ReadSetRemoveLoad_NothingStale()
    {
        await AssertCleanAsync(new StressOptions());
    }

    [Fact]
    public async Task SlowAndSilentLinks_NothingStale()
    {
        await AssertCleanAsync(new StressOptions
        {
            Nodes = 4,
            ThreadsPerNode = 2,
            LeaseTerm = TimeSpan.FromMilliseconds(300),
            Duration = TimeSpan.FromSeconds(15),
            HasFlakyLinks = true,
        });
    }

    private async Task AssertCleanAsync(StressOptions options)
    {
        StressResult result = await new Stress(options).RunAsync();
        output.WriteLine(result.ToString());
        Assert.True(result.Violations.Count == 0, $"seed {result.Seed}: {string.Join('\n', result.Violations)}");
        Assert.True(result.Hits > 0 && result.Writes > 0 && result.Loads > 0, $"{result}");
    }
}
