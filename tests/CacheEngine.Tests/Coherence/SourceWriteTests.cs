namespace CacheEngine.Tests.Coherence;

/// <summary>Writes at the application's source, under the exclusive right and its fence, when nothing goes wrong with the links.</summary>
[Rule("P07")]
public class SourceWriteTests
{
    private static readonly TimeSpan MaxWrite = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static TheoryData<bool> Variants => [true, false];

    [Theory]
    [MemberData(nameof(Variants))]
    [Rule("P01", "CAP-01")]
    public async Task DuringAWrite_NoNodeServes_AndAfterItsDisposalAllSeeIt(bool raises)
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises, nodes: 3);
        await LoadAllAsync(cluster, source, "none");
        Task<string>[] reads;
        await using (CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k"))
        {
            Assert.Equal("k", write.Key);
            Assert.All(cluster.Nodes, node => Assert.False(node.TryGet("k", out _)));
            reads = [.. cluster.Nodes.Select(node => node.GetOrCreateAsync("k", source.LoadAsync).AsTask())];
            Assert.True(source.TryWrite("k", write.Fence, "v1"));
            write.Complete("v1");
            Assert.All(cluster.Nodes, node => Assert.False(node.TryGet("k", out _)));
            Assert.DoesNotContain(reads, read => read.IsCompleted);
        }

        Assert.All(await Task.WhenAll(reads).WaitAsync(Patience), value => Assert.Equal("v1", value));
        Assert.StartsWith("load load load write load load", source.Log, StringComparison.Ordinal);
        AssertIdle(cluster);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Complete_ServesTheValueHere_AndOthersLoadIt(bool raises)
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises);
        await LoadAllAsync(cluster, source, "none");
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        Assert.True(source.TryWrite("k", write.Fence, "v1"));
        write.Complete("v1");
        await write.DisposeAsync();
        await write.DisposeAsync();
        Assert.True(cluster.Nodes[0].TryGet("k", out string? here));
        Assert.Equal("v1", here);
        Assert.Equal("v1", await cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync));
        Assert.True(cluster.Nodes[1].TryGet("k", out _));
        Assert.True(cluster.Nodes[0].TryGet("k", out _));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Complete_WithoutAValue_OrAbandon_LoadsAnewEverywhere_WithoutRaisingOrWaiting(bool raises)
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises);
        await LoadAllAsync(cluster, source, "none");
        Fence last = default;
        foreach (bool completes in new[] { true, false })
        {
            await using (CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k"))
            {
                Assert.True(write.Fence > last);
                last = write.Fence;
                if (completes)
                {
                    Assert.True(source.TryWrite("k", write.Fence, "v1"));
                    write.Complete();
                }
                else
                {
                    write.Abandon();
                }
            }

            Assert.All(cluster.Nodes, node => Assert.False(node.TryGet("k", out _)));
            await LoadAllAsync(cluster, source, "v1");
        }

        Assert.DoesNotContain("raise", source.Log, StringComparison.Ordinal);
    }

    [Fact]
    [Rule("P08")]
    public async Task DisposedWithoutAWord_TheNextReaderRaisesTheFence_BeforeItsLoaderRuns()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises: true, nodes: 3);
        await LoadAllAsync(cluster, source, "none");
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        await write.DisposeAsync();
        string before = source.Log;
        Assert.Equal("none", await cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask().WaitAsync(Patience));
        Assert.Equal("raise load", source.Log[before.Length..].Trim());
        Assert.False(source.TryWrite("k", write.Fence, "late"));
        await LoadAllAsync(cluster, source, "none");
        Assert.True(cluster.Nodes[1].TryGet("k", out _));
        Assert.Equal(1, source.Log.Split("raise").Length - 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [Rule("P08")]
    public async Task DisposedWithoutAWord_WithAStatedBound_NobodyReadsBeforeIt(int reader)
    {
        var time = new ManualTimeProvider();
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises: false, time: time);
        CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k");
        await write.DisposeAsync();
        long endedAt = time.Now;
        Task<string> read = cluster.Nodes[reader].GetOrCreateAsync("k", source.LoadAsync).AsTask();

        // A second, one per cent of it, and twice sixteen milliseconds.
        time.AdvanceTo(endedAt + 1_000 + 10 + 32 - 1);
        await Task.Delay(50);
        Assert.Equal(string.Empty, source.Log);
        Assert.True(source.TryWrite("k", write.Fence, "stalled"));
        time.Advance(1);
        Assert.Equal("stalled", await read.WaitAsync(Patience));
    }

    [Fact]
    [Rule("P08")]
    public async Task RaiseThatFails_ReachesItsCallers_AndTheNextTriesAgain()
    {
        var source = new FencedSource { RaiseFails = new FormatException("on purpose") };
        await using Cluster<string> cluster = await OpenAsync(source, raises: true);
        await (await cluster.Nodes[0].BeginWriteAsync("k")).DisposeAsync();
        await Assert.ThrowsAsync<FormatException>(async () => await cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync));
        await Assert.ThrowsAsync<FormatException>(async () => await cluster.Nodes[0].BeginWriteAsync("k"));
        await Assert.ThrowsAsync<FormatException>(async () => await cluster.Nodes[0].GetOrCreateAsync("k", source.LoadAsync));
        Assert.Equal("fail fail fail", source.Log);
        source.RaiseFails = null;
        await using (CacheWrite<string, string> write = await cluster.Nodes[0].BeginWriteAsync("k"))
        {
            Assert.True(source.TryWrite("k", write.Fence, "v1"));
            write.Complete("v1");
        }

        Assert.Equal("fail fail fail raise write", source.Log);
        Assert.Equal("v1", await cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync));
        AssertIdle(cluster);
    }

    [Fact]
    [Rule("P08")]
    public async Task AWriteThatRaisedAndIsAbandoned_LeavesTheObjectSettled()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises: true);
        await (await cluster.Nodes[0].BeginWriteAsync("k")).DisposeAsync();
        CacheWrite<string, string> write = await cluster.Nodes[1].BeginWriteAsync("k");
        write.Abandon();
        await write.DisposeAsync();
        await LoadAllAsync(cluster, source, "none");
        Assert.Equal("raise load load", source.Log);
    }

    [Fact]
    [Rule("P08", "BRK-05")]
    public async Task RaiseThatHoldsOthersUpForTooLong_IsRepeatedUnderAnotherFence()
    {
        var time = new ManualTimeProvider();
        var source = new FencedSource();
        var gate = new TaskCompletionSource();
        var fences = new List<Fence>();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = time, o =>
        {
            source.Options()(o);
            o.BreakTimeout = TimeSpan.FromSeconds(1);
            o.RaiseFenceAsync = async (key, fence, token) =>
            {
                lock (fences)
                {
                    fences.Add(fence);
                }

                await (fences.Count == 1 ? gate.Task : Task.CompletedTask);
                await source.RaiseAsync(key, fence, token);
            };
        });
        await (await cluster.Nodes[0].BeginWriteAsync("k")).DisposeAsync();
        Task<string> slow = cluster.Nodes[0].GetOrCreateAsync("k", source.LoadAsync).AsTask();
        Task<string> other = cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask();
        await time.AdvanceUntilAsync(() => other.IsCompleted, 2_000);
        Assert.Equal("none", await other);
        await using (CacheWrite<string, string> write = await cluster.Nodes[1].BeginWriteAsync("k"))
        {
            Assert.True(source.TryWrite("k", write.Fence, "v1"));
            write.Complete("v1");
        }

        gate.SetResult();
        Assert.Equal("v1", await slow.WaitAsync(Patience));
        Assert.Equal(fences.Order().Distinct(), fences);
        AssertIdle(cluster);
    }

    [Fact]
    [Rule("P08")]
    public async Task AReaderAndAWriterOfOneNode_MeetAnUnsettledObject_TheWriterFirst()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises: true);
        await (await cluster.Nodes[0].BeginWriteAsync("k")).DisposeAsync();
        cluster.Links.Cut("node1");
        Task<string> read = cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync).AsTask();
        Task<CacheWrite<string, string>> begin = cluster.Nodes[1].BeginWriteAsync("k").AsTask();
        cluster.Links.Restore(cluster.Authority);
        CacheWrite<string, string> write = await begin.WaitAsync(Patience);
        Assert.False(read.IsCompleted);
        Assert.Equal("raise", source.Log);
        await CompleteAsync(write, source, "v1");
        Assert.Equal("v1", await read.WaitAsync(Patience));
        AssertIdle(cluster);
    }

    [Fact]
    [Rule("P30")]
    public async Task CallersThatGiveUpWhileTheFenceIsRaised_LeaveTheObjectUnsettled_AndTheNextRaisesAgain()
    {
        var source = new FencedSource();
        var raising = new TaskCompletionSource();
        bool hangs = true;
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: o =>
        {
            source.Options()(o);
            o.RaiseFenceAsync = async (key, fence, token) =>
            {
                raising.TrySetResult();
                await (hangs ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask);
                await source.RaiseAsync(key, fence, token);
            };
        });
        await (await cluster.Nodes[0].BeginWriteAsync("k")).DisposeAsync();
        using var cancellation = new CancellationTokenSource();
        Task<string> read = cluster.Nodes[1].GetOrCreateAsync("k", source.LoadAsync, cancellationToken: cancellation.Token).AsTask();
        await raising.Task.WaitAsync(Patience);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        hangs = false;
        Assert.Equal("none", await cluster.Nodes[0].GetOrCreateAsync("k", source.LoadAsync).AsTask().WaitAsync(Patience));
        Assert.Equal("raise load", source.Log);
        await LoadAllAsync(cluster, source, "none");
        AssertIdle(cluster);
    }

    [Fact]
    public async Task TwoWritersOfOneNode_Queue_AndOneOfAnotherToo()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises: true);
        CacheWrite<string, string> first = await cluster.Nodes[0].BeginWriteAsync("k");
        Task<CacheWrite<string, string>> second = cluster.Nodes[0].BeginWriteAsync("k").AsTask();
        Task<CacheWrite<string, string>> third = cluster.Nodes[1].BeginWriteAsync("k").AsTask();
        await Task.Delay(50);
        Assert.False(second.IsCompleted || third.IsCompleted);
        await CompleteAsync(first, source, "v1");
        CacheWrite<string, string> next = await second.WaitAsync(Patience);
        Assert.True(next.Fence > first.Fence);
        Assert.False(third.IsCompleted);
        await CompleteAsync(next, source, "v2");
        CacheWrite<string, string> last = await third.WaitAsync(Patience);
        Assert.True(last.Fence > next.Fence);
        Assert.False(cluster.Nodes[0].TryGet("k", out _));
        await CompleteAsync(last, source, "v3");
        await LoadAllAsync(cluster, source, "v3");
        Assert.DoesNotContain("raise", source.Log, StringComparison.Ordinal);
        AssertIdle(cluster);
    }

    [Fact]
    public async Task ManyWritersAndReaders_EveryUpdateCounts()
    {
        var source = new FencedSource();
        await using Cluster<string> cluster = await OpenAsync(source, raises: true, nodes: 3);
        source.TryWrite("k", default, "0");
        Task[] writers = [.. cluster.Nodes.Select(node => Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
            {
                await using CacheWrite<string, string> write = await node.BeginWriteAsync("k");
                string value = $"{int.Parse(source["k"], null) + 1}";
                Assert.True(source.TryWrite("k", write.Fence, value));
                write.Complete(value);
            }
        }))];
        Task[] readers = [.. cluster.Nodes.Select(node => Task.Run(async () =>
        {
            int last = 0;
            while (last < 150)
            {
                int seen = int.Parse(await node.GetOrCreateAsync("k", source.LoadAsync), null);
                Assert.True(seen >= last, $"{seen} after {last}");
                last = seen;
            }
        }))];
        await Task.WhenAll([.. writers, .. readers]).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("150", source["k"]);
        AssertIdle(cluster);
    }

    private static async Task<Cluster<string>> OpenAsync(FencedSource source, bool raises, int nodes = 2, ManualTimeProvider? time = null) =>
        await Cluster<string>.OpenAsync(nodes, o => o.TimeProvider = time ?? o.TimeProvider, source.Options(raises ? null : MaxWrite));

    private static async Task LoadAllAsync(Cluster<string> cluster, FencedSource source, string expected)
    {
        foreach (CoherentCache<string, string> node in cluster.Nodes)
        {
            Assert.Equal(expected, await node.GetOrCreateAsync("k", source.LoadAsync).AsTask().WaitAsync(Patience));
            Assert.True(node.TryGet("k", out _));
        }
    }

    private static async Task CompleteAsync(CacheWrite<string, string> write, FencedSource source, string value)
    {
        Assert.True(source.TryWrite("k", write.Fence, value));
        write.Complete(value);
        await write.DisposeAsync();
    }

    private static void AssertIdle(Cluster<string> cluster)
    {
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Engine.OperationsInFlight));
        cluster.Authority.Store.Inspect(record => Assert.True(record is { Owner.IsOpen: false, Requests.Count: 0, IsUnsettled: false }));
    }
}
