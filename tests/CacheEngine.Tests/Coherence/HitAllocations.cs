#if !DEBUG // What an unoptimised build allocates says nothing.
using CacheEngine.Inodes;

namespace CacheEngine.Tests.Coherence;

/// <summary>Steady state allocates nothing, measured on the thread that does the work (H6).</summary>
public class HitAllocations
{
    private const int Rounds = Allocations.Rounds;

    [Fact]
    public async Task Hit_AllocatesNothing_InAnyForm()
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create();
        await using CoherentCache<long, string> longs = await CoherentCache.OpenAsync<long, string>(authority, "longs");
        await using CoherentCache<string, string> texts = await CoherentCache.OpenAsync<string, string>(authority, "texts");
        await longs.SetAsync(42, "v");
        await texts.SetAsync("forty-two", "v");
        Allocations.AssertNothing(() => longs.TryGet(42, out _));
        Allocations.AssertNothing(() => longs.TryGet(42, out _, out _));
        Allocations.AssertNothing(() => texts.TryGet("forty-two", out _));
        Allocations.AssertNothing(() => texts.TryGet("forty-two".AsSpan(), out _));
        Allocations.AssertNothing(() => !texts.TryGet("forty-three", out _));
        Allocations.AssertNothing(() =>
        {
            ValueTask<Lookup<string>> read = longs.GetAsync(42);
            return read.IsCompleted && read.GetAwaiter().GetResult().IsHit;
        });
        Allocations.AssertNothing(() =>
        {
            ValueTask<string> read = longs.GetOrCreateAsync(42, 7, static (_, _, _) => ValueTask.FromResult("unused"));
            return read.IsCompleted && read.GetAwaiter().GetResult().Length > 0;
        });
    }

    [Fact]
    public async Task AcquireAndPut_AllocateNothing()
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create();
        await using CoherentCache<long, string> cache = await CoherentCache.OpenAsync<long, string>(authority, "longs");
        await cache.SetAsync(42, "v");
        Inode<long, string> inode = cache.Resolve(42);
        Allocations.AssertNothing(() =>
        {
            AcquireDecision decision;
            using (Inode.Hold hold = inode.Enter())
            {
                decision = hold.TryAcquire(CapSet.FileRead, CapSet.FileCache, cache.Engine.Session, cache.Engine.Clock.Now);
            }

            cache.Engine.Desk.Put(inode, decision.Got);
            return decision.Outcome == AcquireOutcome.Granted;
        });
    }

    [Fact]
    public async Task GrantRevokeAndAnswer_AllocateNothing()
    {
        // A clock that stands still: else a timer's thread may be running the pump just now, and a round ends a moment later.
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create(new() { TimeProvider = new ManualTimeProvider() });
        await using CoherentCache<long, string> writer = await CoherentCache.OpenAsync<long, string>(authority, "longs");
        await using CoherentCache<long, string> reader = await CoherentCache.OpenAsync<long, string>(authority, "longs");
        await writer.SetAsync(42, "v");
        long before = reader.Revokes;

        // A question, its grant, a write, the revoke it causes, the answer, the acknowledgement: all on this thread.
        Allocations.AssertNothing(() =>
        {
            ValueTask<Lookup<string>> read = reader.GetAsync(42);
            bool isHit = read.IsCompleted && read.GetAwaiter().GetResult().IsHit;
            ValueTask<long> write = writer.SetAsync(42, "v");
            return isHit && write.IsCompleted && write.GetAwaiter().GetResult() > 0;
        });
        Assert.True(reader.Revokes - before >= Rounds);
    }
}
#endif
