using Xunit.Abstractions;

namespace CacheEngine.Concurrency;

public class StressSoak(ITestOutputHelper output)
{
    [Fact]
    public async Task EightNodes_ReadSetRemoveLoad_NothingStale()
    {
        StressResult result = await new Stress(new StressOptions()).RunAsync();
        output.WriteLine(result.ToString());
        Assert.True(result.Violations.Count == 0, $"seed {result.Seed}: {string.Join('\n', result.Violations)}");
        Assert.True(result.Hits > 0 && result.Writes > 0 && result.Loads > 0, $"{result}");
    }
}
