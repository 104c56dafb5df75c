using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Tests.Scenarios;

/// <summary>A cache that serves what is old is found out by every scenario, and one that does not is not accused.</summary>
public sealed class StaleDetectionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task MixedZipf_FindsCopiesThatNobodyRevokes(bool keepsCopies)
    {
        await using Workload workload = await MixedZipf.SetUpAsync(new FakeCluster(nodes: 3, keepsCopies), seed: 1);
        Assert.Equal(keepsCopies, (await FailuresAsync(workload)).Contains(OperationResult.StaleFailure));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HotKeyRevoke_FindsCopiesThatNobodyRevokes(bool keepsCopies)
    {
        await using Workload workload = await HotKeyRevoke.SetUpAsync(new FakeCluster(nodes: 3, keepsCopies), seed: 1);
        Assert.Equal(keepsCopies, (await FailuresAsync(workload)).Contains(OperationResult.StaleFailure));
    }

    [Fact]
    public async Task ColdHerd_FindsLoadsThatNobodyShares()
    {
        await using Workload workload = ColdHerd.SetUp(new FakeCluster(nodes: 3, keepsCopies: false));
        OperationResult result = await workload.OperateAsync(arrival: 1);
        Assert.Equal("loaded more than once", result.Failure);
    }

    /// <summary>The reasons of operations that come one after the other: then nothing but a stale copy can be old.</summary>
    private static async Task<HashSet<string>> FailuresAsync(Workload workload)
    {
        HashSet<string> failures = [];
        for (int arrival = 0; arrival < 2_000; arrival++)
        {
            if ((await workload.OperateAsync(arrival)).Failure is { } reason)
            {
                failures.Add(reason);
            }
        }

        return failures;
    }
}
