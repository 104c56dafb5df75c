namespace CacheEngine.Architecture.Shape;

/// <summary>How long the files are. When one outgrows its readers, ask which noun is missing.</summary>
internal static class FileSizes
{
    public const int MaxLines = 600;
    public const int MaxLinesOfNineInTen = 320;

    /// <summary>
    /// Files that are too long today, with the length that they may not pass: each is waiting for its missing noun. The list only shrinks.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, int> Outgrown = new Dictionary<string, int>();

    public static List<string> Violations(IReadOnlyList<(string Path, int Lines)> files, IReadOnlyDictionary<string, int> outgrown)
    {
        List<string> violations = [];
        foreach ((string path, int lines) in files)
        {
            int limit = outgrown.GetValueOrDefault(path, MaxLines);
            if (lines > limit)
            {
                violations.Add($"{path} has {lines} lines, more than {limit}");
            }
            else if (limit > MaxLines && lines <= MaxLines)
            {
                violations.Add($"{path} has {lines} lines and need not be listed as outgrown any more");
            }
        }

        violations.AddRange(outgrown.Keys.Except(files.Select(static file => file.Path)).Select(static path => $"{path} is listed as outgrown and does not exist"));
        int nineInTen = Percentile(files.Select(static file => file.Lines), 90);
        if (nineInTen >= MaxLinesOfNineInTen)
        {
            violations.Add($"nine files in ten have up to {nineInTen} lines; it must be under {MaxLinesOfNineInTen}");
        }

        return violations;
    }

    /// <summary>The smallest length that the given share of files does not pass.</summary>
    public static int Percentile(IEnumerable<int> lengths, int percent)
    {
        int[] sorted = [.. lengths.Order()];
        return sorted[((sorted.Length * percent) + 99) / 100 - 1];
    }
}
