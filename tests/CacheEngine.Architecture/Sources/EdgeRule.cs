using System.Text.RegularExpressions;

namespace CacheEngine.Architecture.Sources;

/// <summary>
/// Each use of <c>Volatile</c> and <c>Interlocked</c> has an edge comment: in its line, in the few lines above it within its member, or in the comment
/// on its member. What orders nothing is exempt by name.
/// </summary>
internal static partial class EdgeRule
{
    /// <summary>How far above a use its comment may stand.</summary>
    public const int LinesAbove = 10;

    /// <summary>Fields that order nothing, as <c>file:field</c>, with the reason. Keep it short: a comment at the use is better.</summary>
    public static readonly IReadOnlyDictionary<string, string> Exempt = new Dictionary<string, string>
    {
        ["CapPool.cs:_total"] = "a count held against a bound; no other memory is read by it",
        ["EmbeddedAuthority.cs:_refusedMessages"] = "a statistic",
        ["OperationDesk.cs:_questions"] = "a statistic",
        ["Engine.cs:_revokes"] = "a statistic, written by the inbound pump alone",
        ["InodeTable.cs:_count"] = "a statistic outside the shard's gate; decided upon only under it",
        ["OwnerLedger.cs:_count"] = "a first guess at a list's size; decided upon only under the gate",
        ["OperationLedger.cs:_count"] = "a statistic and a first guess at a list's size; decided upon only under the gate",
    };

    /// <summary>The faults of a file; notes in <paramref name="exemptionsUsed"/> which exemptions it needed.</summary>
    public static List<string> Violations(SourceFile file, ISet<string>? exemptionsUsed = null)
    {
        List<string> violations = [];
        var text = CodeText.Parse(file.Text);
        string[] code = text.Code.Split('\n');
        string[] comments = text.Comments.Split('\n');
        foreach (Match use in Use().Matches(text.Code))
        {
            int line = text.LineOf(use.Index) - 1;
            string exemption = $"{Path.GetFileName(file.Path)}:{use.Groups["field"].Value}";
            if (IsNumberDrawn(use) || HasEdge(code, comments, line))
            {
                continue;
            }

            if (Exempt.ContainsKey(exemption))
            {
                exemptionsUsed?.Add(exemption);
                continue;
            }

            violations.Add($"{file.Path}({line + 1}): {use.Value.TrimEnd('(')} on {exemption} has no edge comment");
        }

        return violations;
    }

    // The naming rule: drawing the next number from a field called _last... needs it to be unique and nothing else.
    private static bool IsNumberDrawn(Match use) =>
        use.Groups["operation"].Value == "Interlocked.Increment" && use.Groups["field"].Value.StartsWith("_last", StringComparison.Ordinal);

    private static bool HasEdge(string[] code, string[] comments, int line)
    {
        bool isInHead = false;
        for (int at = line; at >= 0; at--)
        {
            bool mayCount = isInHead || line - at <= LinesAbove;
            if (mayCount && Edge().IsMatch(comments[at]))
            {
                return true;
            }

            bool isBlank = code[at].Trim().Length == 0 && comments[at].Trim().Length == 0;
            if (isInHead && (isBlank || (code[at].Trim().Length > 0 && !code[at].TrimStart().StartsWith('['))))
            {
                return false;
            }

            // From the member's first line upwards there are only its attributes and its comment.
            isInHead = isInHead || Member().IsMatch(code[at]);
        }

        return false;
    }

    [GeneratedRegex(@"\b(?<operation>(?:Volatile|Interlocked)\.\w+)(?:<[^>]*>)?\((?:\s*(?:ref|in)\s+(?:[\w!]+(?:\[[^\]]*\])?\.)*(?<field>\w+))?")]
    private static partial Regex Use();

    [GeneratedRegex(@"\b[Ee]dge [A-Z]+-\d+")]
    private static partial Regex Edge();

    [GeneratedRegex(@"^\s+(?:public|private|protected|internal)\s")]
    private static partial Regex Member();
}
