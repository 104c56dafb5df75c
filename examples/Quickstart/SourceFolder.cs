using CacheEngine;

namespace Quickstart;

/// <summary>The folder whose files are cached; only read.</summary>
internal static class SourceFolder
{
    private static string[] Skipped { get; } = ["bin", "obj", ".git"];

    private static EnumerationOptions OneLevel { get; } = new()
    {
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
    };

    /// <summary>The files with their relative paths, in the order of the alphabet; those that are too large or cannot be read are left out.</summary>
    public static IEnumerable<(string Key, byte[] Body)> Read(string folder)
    {
        var root = new DirectoryInfo(folder);
        foreach (FileInfo file in Walk(root))
        {
            string key = Path.GetRelativePath(root.FullName, file.FullName).Replace(Path.DirectorySeparatorChar, '/');
            if (key.Length * sizeof(char) <= KeyCodec.MaxKeyBytes && TryRead(file) is { } body)
            {
                yield return (key, body);
            }
        }
    }

    private static IEnumerable<FileInfo> Walk(DirectoryInfo folder)
    {
        foreach (FileInfo file in folder.GetFiles("*", OneLevel).OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            yield return file;
        }

        foreach (DirectoryInfo inner in folder.GetDirectories("*", OneLevel).OrderBy(inner => inner.Name, StringComparer.Ordinal))
        {
            if (!Skipped.Contains(inner.Name, StringComparer.OrdinalIgnoreCase))
            {
                foreach (FileInfo file in Walk(inner))
                {
                    yield return file;
                }
            }
        }
    }

    private static byte[]? TryRead(FileInfo file)
    {
        try
        {
            // What has no length is not opened: it may be a pipe, and then nobody answers.
            return file.Length > WorkingCopy.MaxFileBytes ? null : file.Length == 0 ? [] : File.ReadAllBytes(file.FullName);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
