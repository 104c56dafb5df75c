namespace CacheEngine.Load;

/// <summary>What the shell is told.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    public const int ThresholdBroken = 1;

    /// <summary>The command line is no good.</summary>
    public const int Usage = 2;
}
