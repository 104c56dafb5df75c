using CacheEngine.Load.Judging;

namespace CacheEngine.Load.Scenarios;

/// <summary>What is done to a cluster of caches, and what it must withstand. Knows nothing of who brings the load.</summary>
public sealed record LoadScenario
{
    /// <summary>What it is called on the command line and in reports.</summary>
    public required string Name { get; init; }

    /// <summary>What it models, in one sentence.</summary>
    public required string Description { get; init; }

    /// <summary>What one operation is, so that a rate can be read.</summary>
    public required string Operation { get; init; }

    /// <summary>How it runs if nothing else is asked for.</summary>
    public required LoadParameters Defaults { get; init; }

    /// <summary>What must hold at the end of a run.</summary>
    public required IReadOnlyList<LoadThreshold> Thresholds { get; init; }

    /// <summary>Opens the caches and fills them; what comes back is ready for load.</summary>
    public required Func<LoadParameters, Task<Workload>> SetUpAsync { get; init; }
}
