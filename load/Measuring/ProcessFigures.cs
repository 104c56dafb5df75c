namespace CacheEngine.Load.Measuring;

/// <summary>What the process has spent up to a moment.</summary>
internal sealed record ProcessFigures(
    long AllocatedBytes, int Generation0, int Generation1, int Generation2, TimeSpan GarbagePause, TimeSpan ProcessorTime)
{
    public static ProcessFigures Read() => new(
        GC.GetTotalAllocatedBytes(),
        GC.CollectionCount(0),
        GC.CollectionCount(1),
        GC.CollectionCount(2),
        GC.GetTotalPauseDuration(),
        Environment.CpuUsage.TotalTime);

    /// <summary>What was spent since an earlier moment.</summary>
    public ProcessFigures Since(ProcessFigures earlier) => new(
        AllocatedBytes - earlier.AllocatedBytes,
        Generation0 - earlier.Generation0,
        Generation1 - earlier.Generation1,
        Generation2 - earlier.Generation2,
        GarbagePause - earlier.GarbagePause,
        ProcessorTime - earlier.ProcessorTime);
}
