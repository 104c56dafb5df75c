namespace CacheEngine.Tests.Coherence;

/// <summary>Readers of a node whose own changes of the key never pause: each waits for the changes that were there before it, and no longer.</summary>
public class StarvationTests
{
    private const int Latency = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData("get", false)]
    [InlineData("get", true)]
    [InlineData("load", false)]
    [InlineData("load", true)]
    public async Task Read_ChangesOfItsOwnNodeOverlapWithoutEnd_IsAnswered(string read, bool removes)
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create(new()
        {
            TimeProvider = _time,
            Latency = TimeSpan.FromMilliseconds(Latency),
        });
        Task<CoherentCache<string, string>> opened = CoherentCache.OpenAsync<string, string>(authority, "region").AsTask();
        await _time.AdvanceUntilAsync(() => opened.IsCompleted, 10_000);
        await using CoherentCache<string, string> node = await opened;
        var changes = new List<Task> { Change(node, removes) };
        Task<string?> answer = read == "get" ? GetAsync(node) : LoadAsync(node);

        // A change takes two latencies, and each is begun before the one before it has been answered: there is always one under way.
        for (int i = 0; i < 40 && !answer.IsCompleted; i++)
        {
            _time.Advance(Latency);
            changes.Add(Change(node, removes));
            await Task.Delay(2);
            Assert.NotEqual(0, node.Engine.OperationsInFlight);
        }

        Assert.True(answer.IsCompleted, "a read waits for changes that came after it");
        Assert.True(await answer is "written" or "loaded" or null);
        await _time.AdvanceUntilAsync(() => changes.TrueForAll(static change => change.IsCompleted), 10_000);
        await Task.WhenAll(changes).WaitAsync(Patience);
    }

    private static async Task Change(CoherentCache<string, string> node, bool removes) =>
        _ = removes ? await node.RemoveAsync("key") : await node.SetAsync("key", "written");

    private static async Task<string?> LoadAsync(CoherentCache<string, string> node) =>
        await node.GetOrCreateAsync("key", static (_, _) => ValueTask.FromResult("loaded"));

    private static async Task<string?> GetAsync(CoherentCache<string, string> node) => (await node.GetAsync("key")).Value;
}
