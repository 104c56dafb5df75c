namespace CacheEngine.Load.Scenarios;

/// <summary>What a workload has done up to a moment.</summary>
/// <param name="Lookups">Keys looked up.</param>
/// <param name="Hits">Of those, served from the node's memory.</param>
/// <param name="Writes">Writes that were acknowledged.</param>
/// <param name="Loads">Runs of a factory.</param>
/// <param name="Revokes">Revokes that nodes took in.</param>
/// <param name="Questions">Questions that nodes asked the authority.</param>
/// <param name="RefusedMessages">Messages that the authority found malformed; zero in a healthy system.</param>
public sealed record WorkloadFigures(
    long Lookups, long Hits, long Writes, long Loads, long Revokes, long Questions, long RefusedMessages)
{
    /// <summary>What was done since an earlier moment.</summary>
    public WorkloadFigures Since(WorkloadFigures earlier) => new(
        Lookups - earlier.Lookups,
        Hits - earlier.Hits,
        Writes - earlier.Writes,
        Loads - earlier.Loads,
        Revokes - earlier.Revokes,
        Questions - earlier.Questions,
        RefusedMessages - earlier.RefusedMessages);
}
