namespace CacheEngine.Scenarios;

/// <summary>The transcripts of the working tree: a folder a room, a file a transcript.</summary>
internal static class TranscriptFiles
{
    public static readonly string Repository = FindRepository();

    public static readonly string Folder = Path.Combine(Repository, "tests", "CacheEngine.Scenarios", "Transcripts");

    /// <summary>Every transcript, as <c>room/name</c>.</summary>
    public static IEnumerable<string> All() => Directory.EnumerateFiles(Folder, "*.txt", SearchOption.AllDirectories)
        .Select(static path => Path.ChangeExtension(Path.GetRelativePath(Folder, path).Replace('\\', '/'), null))
        .Order(StringComparer.Ordinal);

    public static string PathOf(string transcript) => Path.Combine(Folder, $"{transcript}.txt");

    private static string FindRepository()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "CacheEngine.sln")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new InvalidOperationException($"No CacheEngine.sln above {AppContext.BaseDirectory}.");
    }
}
