using System.Text.RegularExpressions;

namespace CacheEngine.Architecture.Sources;

/// <summary>What hides size or postpones work: a region, a partial type that no generator completes, a note to do something later.</summary>
internal static partial class WordRule
{
    public static IEnumerable<string> Violations(SourceFile file)
    {
        var text = CodeText.Parse(file.Text);
        bool isCompletedByGenerator = Generated().IsMatch(text.Code);
        IEnumerable<(int Index, string Fault)> faults =
        [
            .. Region().Matches(text.Code).Select(static match => (match.Index, "a region")),
            .. Partial().Matches(text.Code).Where(_ => !isCompletedByGenerator).Select(static match => (match.Index, "a partial type")),
            .. Later().Matches(text.Comments).Select(static match => (match.Index, $"a note to do something later ({match.Value})")),
        ];
        return faults.Select(fault => $"{file.Path}({text.LineOf(fault.Index)}): {fault.Fault}");
    }

    [GeneratedRegex(@"#\s*region\b")]
    private static partial Regex Region();

    [GeneratedRegex(@"\bpartial\s+(?:class|struct|interface|record|ref\s+struct)\b")]
    private static partial Regex Partial();

    // Source generators that this library may use ask for a partial type and say so by an attribute.
    [GeneratedRegex(@"\[\s*(?:GeneratedRegex|LoggerMessage|JsonSerializable)\b")]
    private static partial Regex Generated();

    [GeneratedRegex(@"\b(?:TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex Later();
}
