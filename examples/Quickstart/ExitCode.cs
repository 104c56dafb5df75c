namespace Quickstart;

/// <summary>What the shell is told.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A contradiction in the history, or a file that the cache and the disk do not agree on.</summary>
    public const int Incoherent = 1;

    /// <summary>The command line or its folder is no good.</summary>
    public const int Usage = 2;
}
