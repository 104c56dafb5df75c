namespace CacheEngine.Load.Scenarios;

/// <summary>How hard, how long and against what a scenario runs.</summary>
/// <param name="Rate">Operations that begin in a second, on average.</param>
/// <param name="Seconds">How long operations are begun and measured.</param>
/// <param name="Nodes">How many caches share the region.</param>
/// <param name="LatencyMilliseconds">How long every message to or from the authority is under way; zero is a call.</param>
/// <param name="Seed">What arrivals and choices are drawn from: the same seed brings the same load.</param>
public sealed record LoadParameters(int Rate, int Seconds, int Nodes, int LatencyMilliseconds = 1, int Seed = 1)
{
    /// <summary>What the command line lets through.</summary>
    public const int MaxRate = 100_000;

    /// <inheritdoc cref="MaxRate"/>
    public const int MaxSeconds = 3_600;

    /// <inheritdoc cref="MaxRate"/>
    public const int MaxNodes = 32;

    /// <inheritdoc cref="MaxRate"/>
    public const int MaxLatencyMilliseconds = 1_000;
}
