#if !DEBUG // What an unoptimised build allocates says nothing.
namespace CacheEngine.Tests.Coherence;

/// <summary>Changes of known keys, with reference values, allocate nothing on the thread that does all the work.</summary>
public sealed class ChangeAllocations : IAsyncLifetime
{
    private static readonly string One = "one";
    private static readonly string Two = "two";

    private EmbeddedAuthority _authority = null!;
    private CoherentCache<long, string> _cache = null!;
    private CoherentCache<long, string> _sharer = null!;

    public async Task InitializeAsync()
    {
        _authority = EmbeddedAuthority.Create();
        _cache = await CoherentCache.OpenAsync<long, string>(_authority, "region");
        _sharer = await CoherentCache.OpenAsync<long, string>(_authority, "region");
        await _cache.SetAsync(42, One);
    }

    public async Task DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _sharer.DisposeAsync();
        await _authority.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Set_AllocatesNothing(bool isShared) => Allocations.AssertNothing(() =>
        Share(isShared) && Ended(_cache.SetAsync(42, Two), out long version) && version > 0);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Remove_AllocatesNothing(bool isShared) => Allocations.AssertNothing(() =>
        Share(isShared) && Ended(_cache.RemoveAsync(42), out long version) && version > 0);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Update_AllocatesNothing(bool isShared) => Allocations.AssertNothing(() =>
        Share(isShared) && Ended(_cache.UpdateAsync(42, 0, static (old, _) => old == One ? Two : One), out Lookup<string> updated) && updated.IsHit);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TryUpdate_AllocatesNothing(bool isShared) => Allocations.AssertNothing(() =>
    {
        _ = Share(isShared) && Ended(_cache.GetAsync(42), out _);
        return _cache.TryGet(42, out _, out long version)
            && Ended(_cache.TryUpdateAsync(42, version, Two), out UpdateResult updated)
            && updated.IsUpdated;
    });

    [Fact]
    public void TryUpdate_Refused_AllocatesNothing_WhereverItIsRefused()
    {
        Allocations.AssertNothing(() => Ended(_cache.TryUpdateAsync(42, 0, Two), out UpdateResult updated) && !updated.IsUpdated);
        Assert.True(Ended(_sharer.RecallAsync(42), out _));
        Allocations.AssertNothing(() => Ended(_sharer.TryUpdateAsync(42, 0, Two), out UpdateResult updated) && !updated.IsUpdated);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Recall_AllocatesNothing(bool isShared) => Allocations.AssertNothing(() =>
        Share(isShared) && Ended(_cache.RecallAsync(42), out long version) && version > 0);

    /// <summary>Another node takes a right of its own, which the change then takes back.</summary>
    private bool Share(bool isShared) => !isShared || Ended(_sharer.GetAsync(42), out _);

    private static bool Ended<TResult>(ValueTask<TResult> operation, out TResult result)
    {
        bool isEnded = operation.IsCompleted;
        result = operation.GetAwaiter().GetResult();
        return isEnded;
    }
}
#endif
