using System.Diagnostics;

namespace CacheEngine.Tests.Coherence;

/// <summary>The faults that an application may try on an authority, seen by whole caches on real threads.</summary>
public class FaultTrialTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [Rule("P01")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HolderThatGoesOnReading_ServesNothingOld_OnceTheWriteIsAcknowledged(bool isIsolated)
    {
        await using var authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { LeaseTerm = TimeSpan.FromMilliseconds(400) });
        await using CoherentCache<string, string> writer = await OpenAsync(authority, "writer");
        await using CoherentCache<string, string> holder = await OpenAsync(authority, "holder");
        await writer.SetAsync("k", "v1");
        await holder.GetAsync("k");
        using var stop = new CancellationTokenSource();
        long lastServedAt = 0;
        var reader = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                long call = Stopwatch.GetTimestamp();
                if (holder.TryGet("k", out string? value) && value == "v1")
                {
                    lastServedAt = call;
                }
            }
        });
        reader.Start();
        long acknowledged;
        try
        {
            if (isIsolated)
            {
                authority.Isolate("holder");
            }
            else
            {
                Assert.Equal(1, authority.Evict("holder"));
            }

            await writer.SetAsync("k", "v2").AsTask().WaitAsync(Patience);
            acknowledged = Stopwatch.GetTimestamp();
            await Task.Delay(50);
        }
        finally
        {
            await stop.CancelAsync();
            reader.Join();
        }

        Assert.InRange(lastServedAt, 0, acknowledged);

        // Back in the cluster, it is as good as any.
        authority.Rejoin("holder");
        Assert.Equal("v2", (await holder.GetAsync("k").AsTask().WaitAsync(Patience)).Value);
        await holder.SetAsync("k", "v3").AsTask().WaitAsync(Patience);
        Assert.Equal("v3", (await writer.GetAsync("k").AsTask().WaitAsync(Patience)).Value);
    }

    [Fact]
    public async Task Isolate_CacheWithoutANodeName_GoesByItsRegion()
    {
        await using var authority = EmbeddedAuthority.Create();
        await using CoherentCache<string, string> cache = await CoherentCache.OpenAsync<string, string>(authority, "region");
        authority.Isolate("region");
        Task<Lookup<string>> read = cache.GetAsync("k").AsTask();
        await Task.Delay(20);
        Assert.False(read.IsCompleted);
        authority.Rejoin("region");
        Assert.Equal(LookupStatus.Absent, (await read.WaitAsync(Patience)).Status);
    }

    private static ValueTask<CoherentCache<string, string>> OpenAsync(EmbeddedAuthority authority, string name) =>
        CoherentCache.OpenAsync<string, string>(authority, "region", new() { NodeName = name });
}
