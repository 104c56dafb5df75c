using System.Reflection;

namespace CacheEngine.Architecture;

/// <summary>The working tree and the built assemblies that these tests hold against each other.</summary>
internal static class Repository
{
    public static readonly string Root = FindRoot(AppContext.BaseDirectory);

    /// <summary>The pure decisions and the engine, as built next to this test.</summary>
    public static readonly IReadOnlyList<Assembly> Assemblies = [Assembly.Load("CacheEngine.Core"), Assembly.Load("CacheEngine")];

    /// <summary>Every source file below src, generated ones left out.</summary>
    public static IEnumerable<SourceFile> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(path => new SourceFile(RelativePath(path), File.ReadAllText(path)))
            .Where(static file => !file.Path.Contains("/obj/") && !file.Path.Contains("/bin/"))
            .OrderBy(static file => file.Path, StringComparer.Ordinal);

    private static string RelativePath(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static string FindRoot(string start)
    {
        for (DirectoryInfo? at = new(start); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "CacheEngine.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException($"No CacheEngine.sln above {start}.");
    }
}

/// <summary>One file of src.</summary>
/// <param name="Path">Its path from the root, with forward slashes.</param>
/// <param name="Text">Its text.</param>
internal sealed record SourceFile(string Path, string Text);
