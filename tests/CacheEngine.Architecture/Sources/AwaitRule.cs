using System.Text.RegularExpressions;

namespace CacheEngine.Architecture.Sources;

/// <summary>
/// Every await goes through the one seam, so that a simulation can keep all continuations on its own thread.
/// </summary>
internal static partial class AwaitRule
{
    private const string Seam = ".ConfigureAwait(EngineAwait.Captured)";

    /// <summary>The other form of the seam: off the caller's stack first.</summary>
    private const string YieldingSeam = ".ConfigureAwait(EngineAwait.Yielding)";

    public static IEnumerable<string> Violations(SourceFile file)
    {
        var text = CodeText.Parse(file.Text);
        foreach (Match awaiting in Awaiting().Matches(text.Code))
        {
            string rest = text.Code[(awaiting.Index + awaiting.Length)..].Replace(YieldingSeam, Seam, StringComparison.Ordinal);
            bool isConfigured = awaiting.Groups["form"].Success ? HeadOf(rest).Contains(Seam, StringComparison.Ordinal) : EndsInSeam(rest);
            if (!isConfigured)
            {
                yield return $"{file.Path}({text.LineOf(awaiting.Index)}): an await is not configured with {Seam}";
            }
        }
    }

    /// <summary>Whether the expression ends in the seam before anything ends the expression.</summary>
    private static bool EndsInSeam(string rest)
    {
        int depth = 0;
        for (int i = 0; i < rest.Length; i++)
        {
            if (depth == 0 && string.CompareOrdinal(rest, i, Seam, 0, Seam.Length) == 0)
            {
                string after = rest[(i + Seam.Length)..].TrimStart();
                return after.Length == 0 || (after[0] is not ('.' or '[' or '(') && !after.StartsWith("?.", StringComparison.Ordinal));
            }

            depth += rest[i] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            bool isOver = depth < 0 || (depth == 0 && (rest[i] is ';' or ',' or ':' || string.CompareOrdinal(rest, i, "??", 0, 2) == 0));
            if (isOver)
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>What stands between the parentheses that follow, or up to the semicolon.</summary>
    private static string HeadOf(string rest)
    {
        int depth = 0;
        for (int i = 0; i < rest.Length; i++)
        {
            depth += rest[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0 && rest[i] is ')' or ';' && (rest[i] == ';' || rest.TrimStart()[0] == '('))
            {
                return rest[..i];
            }
        }

        return rest;
    }

    [GeneratedRegex(@"\bawait\b(?:\s+(?<form>using|foreach)\b)?")]
    private static partial Regex Awaiting();
}
