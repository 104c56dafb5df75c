namespace CacheEngine.Sessions;

/// <summary>
/// Whether the machine stood still between two ticks: the wall clock went further than the monotonic one by more than the allowance.
/// </summary>
/// <remarks>
/// On Linux and macOS the monotonic clock does not count time spent suspended (dotnet/runtime #77945), so a lease looks valid at resume.
/// A wall clock set forward looks the same and costs the node its leases once; a wall clock set backward is of no concern.
/// </remarks>
internal static class SuspendDecision
{
    public static bool Decide(long monotonicElapsedMilliseconds, long wallElapsedMilliseconds, long allowanceMilliseconds) =>
        wallElapsedMilliseconds - monotonicElapsedMilliseconds > allowanceMilliseconds;
}
