#if !DEBUG // What an unoptimised build allocates says nothing.
namespace CacheEngine.Tests.Coherence;

/// <summary>Measures what the calling thread allocates in steady state.</summary>
internal static class Allocations
{
    public const int Rounds = 10_000;

    public static void AssertNothing(Func<bool> round)
    {
        // Warm pools and let the JIT finish; then the least of several tries, so that a tier-up in between does not count.
        long least = long.MaxValue;
        bool all = true;
        for (int attempt = 0; attempt < 5 && least != 0; attempt++)
        {
            for (int i = 0; i < Rounds / 10; i++)
            {
                _ = round();
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Rounds; i++)
            {
                all &= round();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.True(all, "a round did not do what it measures");
    }
}
#endif
