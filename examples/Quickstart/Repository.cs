namespace Quickstart;

/// <summary>The repository that this example is part of.</summary>
internal static class Repository
{
    private const string Solution = "CacheEngine.sln";

    /// <summary>Its <c>src</c> folder, or null when this runs outside it.</summary>
    public static string? FindSource() =>
        FindAbove(AppContext.BaseDirectory) ?? FindAbove(Directory.GetCurrentDirectory());

    private static string? FindAbove(string start)
    {
        for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Solution)))
            {
                return Path.Combine(folder.FullName, "src");
            }
        }

        return null;
    }
}
