using System.Text.RegularExpressions;

namespace CacheEngine.Architecture.Sources;

/// <summary>
/// The labelled ends of the memory-order edges. A comment declares an end as <c>Edge NAME-n (kind; other end: NAME-m): the accident it prevents</c>;
/// with several, <c>other ends: NAME-m, NAME-k</c>. Each end is declared once, and the ends that it names name it back.
/// </summary>
internal static partial class EdgeLabels
{
    public static List<string> Violations(IEnumerable<SourceFile> files)
    {
        List<string> violations = [];
        Dictionary<string, (string Place, string[] Others)> ends = [];
        List<(string Place, string Label)> mentions = [];
        foreach (SourceFile file in files)
        {
            var text = CodeText.Parse(file.Text);
            mentions.AddRange(Mention().Matches(text.Comments).Select(match => ($"{file.Path}({text.LineOf(match.Index)})", match.Groups[1].Value)));
            foreach (Match declared in Declared().Matches(text.Comments))
            {
                string place = $"{file.Path}({text.LineOf(declared.Index)})";
                string label = declared.Groups["label"].Value;
                string[] others = declared.Groups["others"].Value.Split(',', StringSplitOptions.TrimEntries);
                if (!ends.TryAdd(label, (place, others)))
                {
                    violations.Add($"{place}: edge {label} is declared a second time; the first is at {ends[label].Place}");
                }
            }
        }

        violations.AddRange(mentions.Where(mention => !ends.ContainsKey(mention.Label))
            .Select(static mention => $"{mention.Place}: edge {mention.Label} is not declared anywhere as 'Edge NAME-n (kind; other end: NAME-m)'"));
        foreach ((string label, (string place, string[] others)) in ends)
        {
            violations.AddRange(others.Where(other => !ends.ContainsKey(other))
                .Select(other => $"{place}: edge {label} names {other} as its other end, which does not exist"));
            violations.AddRange(others.Where(other => ends.TryGetValue(other, out var end) && !end.Others.Contains(label))
                .Select(other => $"{place}: edge {label} names {other} as its other end, which does not name it back"));
        }

        return violations;
    }

    [GeneratedRegex(@"\b[Ee]dge (?<label>[A-Z]+-\d+) \([^;()]*; other ends?: (?<others>[^)]+)\)")]
    private static partial Regex Declared();

    [GeneratedRegex(@"\b[Ee]dge ([A-Z]+-\d+)")]
    private static partial Regex Mention();
}
