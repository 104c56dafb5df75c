#if !DEBUG // What an unoptimised build allocates says nothing.
namespace CacheEngine.Tests.Coherence;

/// <summary>Writes that are kept back, and their way to the authority, with reference values and known keys, allocate nothing on the thread that does all the work.</summary>
[Rule("H6")]
public sealed class WriteBackAllocations : IAsyncLifetime
{
    private static readonly string One = "one";
    private static readonly string Two = "two";

    private EmbeddedAuthority _authority = null!;
    private CoherentCache<long, string> _cache = null!;
    private CoherentCache<long, string> _sharer = null!;

    public async Task InitializeAsync()
    {
        // A clock that stands still: no timer runs a pump on another thread meanwhile.
        _authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { TimeProvider = new ManualTimeProvider() });
        _cache = await CoherentCache.OpenAsync<long, string>(_authority, "region");
        _sharer = await CoherentCache.OpenAsync<long, string>(_authority, "region");
        await _cache.SetAsync(42, One, mode: WriteMode.Back);
    }

    public async Task DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _sharer.DisposeAsync();
        await _authority.DisposeAsync();
    }

    [Fact]
    public void Back_WrittenOver_AllocatesNothing() =>
        Allocations.AssertNothing(() => Back(One) && Back(Two) && _cache.Unflushed == (1, 0));

    [Fact]
    public void DirtySealFlushAck_AllocatesNothing() =>
        Allocations.AssertNothing(() => Back(One) && _cache.Unflushed == (1, 0) && Flushed() && _cache.Unflushed == (0, 0));

    [Fact]
    public void DirtyRevokedFlushedAnswered_AllocatesNothing() => Allocations.AssertNothing(() =>
        Back(One) && Back(Two) && _cache.Unflushed == (1, 0)
        && Ended(_sharer.GetAsync(42), out Lookup<string> seen) && seen.Value == Two && _cache.Unflushed == (0, 0));

    [Fact]
    public void Back_WhereNodesContend_GoesThrough_AndAllocatesNothing() =>
        Allocations.AssertNothing(() => Back(One) && Ended(_sharer.SetAsync(42, Two, mode: WriteMode.Back), out _));

    private bool Back(string value) => Ended(_cache.SetAsync(42, value, mode: WriteMode.Back), out long version) && version > 0;

    private bool Flushed()
    {
        ValueTask flush = _cache.FlushAsync(42);
        if (!flush.IsCompleted)
        {
            return false;
        }

        flush.GetAwaiter().GetResult();
        return true;
    }

    private static bool Ended<TResult>(ValueTask<TResult> operation, out TResult result)
    {
        bool isEnded = operation.IsCompleted;
        result = operation.GetAwaiter().GetResult();
        return isEnded;
    }
}
#endif
