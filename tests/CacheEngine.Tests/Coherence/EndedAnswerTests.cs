using System.Buffers;
using System.Text;
using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine.Tests.Coherence;

/// <summary>Answers whose value ends before their callers have it: nobody who calls after another node was told of the end gets the value.</summary>
public class EndedAnswerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Rule("P01")]
    public async Task AnswerThatEndsOnTheWay_IsNoneForThoseWhoJoinItsQuestion(bool loads)
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, o => o.TimeProvider = _time);
        await cluster.Nodes[1].SetAsync("k", "old", new CoherentCacheEntryOptions { Expiration = TimeSpan.FromSeconds(2) });
        cluster.Links.Cut(CacheEngine.Embedded.LinkDirection.ToNode, "node0");
        Func<Task<string?>> ask = loads
            ? async () => await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("new"))
            : async () => (await cluster.Nodes[0].GetAsync("k")).Value;
        Task<string?> first = ask();
        _time.Advance(3_000);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[1].GetAsync("k")).Status);
        Task<string?> second = ask();
        cluster.Links.Restore(cluster.Authority);
        _ = await first.WaitAsync(Patience);
        Assert.Equal(loads ? "new" : null, await second.WaitAsync(Patience));
    }

    [Fact]
    [Rule("P01")]
    public async Task AnswerThatEndsWhileItIsDecoded_IsNotJoined()
    {
        var slow = new SlowSerializer();
        await using Cluster<string> cluster = await CopyingAsync();
        await using CoherentCache<string, string> node = await CoherentCache.OpenAsync<string, string>(cluster.Authority, "region", new() { Serializer = slow });
        await cluster.Nodes[0].SetAsync("k", "old", new CoherentCacheEntryOptions { Expiration = TimeSpan.FromSeconds(2) });
        slow.Hold();
        Task<string> first = Task.Run(() => node.GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("new")).AsTask());
        Assert.True(slow.Entered.Wait(Patience));
        _time.Advance(3_000);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].GetAsync("k")).Status);
        Task<string> second = node.GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("new")).AsTask();
        slow.Release();
        Assert.Equal("old", await first.WaitAsync(Patience));
        Assert.Equal("new", await second.WaitAsync(Patience));
    }

    [Fact]
    [Rule("SES-29")]
    public async Task ValueThatIsDecodedWhileTheMachineStandsStill_IsNotServedAfterwards()
    {
        var inside = new ManualTimeProvider();
        var slow = new SlowSerializer();
        await using Cluster<string> cluster = await CopyingAsync();
        await using CoherentCache<string, string> node = await CoherentCache.OpenAsync<string, string>(
            cluster.Authority, "region", new() { Serializer = slow, TimeProvider = inside });
        await cluster.Nodes[0].SetAsync("k", "old", new CoherentCacheEntryOptions { Expiration = TimeSpan.FromSeconds(5) });
        slow.Hold();
        Task<Lookup<string>> read = Task.Run(() => node.GetAsync("k").AsTask());
        Assert.True(slow.Entered.Wait(Patience));

        // Ten seconds that the machine's monotonic clock does not count.
        _time.Advance(10_000);
        inside.AdvanceWall(TimeSpan.FromSeconds(10));
        inside.Advance(250);
        inside.Advance(250);
        Assert.Equal(CacheState.Serving, node.State);
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].GetAsync("k")).Status);
        slow.Release();
        await read.WaitAsync(Patience);
        Assert.False(node.TryGet("k", out _));
    }

    private Task<Cluster<string>> CopyingAsync() => Cluster<string>.OpenAsync(1, o =>
    {
        o.TimeProvider = _time;
        o.CopyValues = true;
    });

    private sealed class SlowSerializer : IHybridCacheSerializer<string>
    {
        private readonly ManualResetEventSlim _go = new(true);

        public ManualResetEventSlim Entered { get; } = new(false);

        public void Hold() => _go.Reset();

        public void Release() => _go.Set();

        public string Deserialize(ReadOnlySequence<byte> source)
        {
            Entered.Set();
            _go.Wait();
            return Encoding.UTF8.GetString(source);
        }

        public void Serialize(string value, IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value, target);
    }
}
