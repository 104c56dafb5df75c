using System.Text.RegularExpressions;

namespace CacheEngine.Architecture.Sources;

/// <summary>
/// The witness of an inode's gate is owned by a <c>using</c>: the compiler does not stop one that is not, and a gate that is not left stops a node.
/// </summary>
internal static partial class GateRule
{
    public static IEnumerable<string> Violations(SourceFile file)
    {
        var text = CodeText.Parse(file.Text);
        foreach (Match entered in Entering().Matches(text.Code))
        {
            int start = text.Code.LastIndexOfAny([';', '{', '}'], entered.Index) + 1;
            string statement = text.Code[start..(entered.Index + entered.Length)];
            if (!OwnedByUsing().IsMatch(statement))
            {
                yield return $"{file.Path}({text.LineOf(entered.Index)}): a gate is entered outside a using";
            }
        }
    }

    // With the character that follows: the hold itself must be what is kept, not a part of it.
    [GeneratedRegex(@"\.\s*Enter\s*\(\s*\)\s*[^\s]")]
    private static partial Regex Entering();

    [GeneratedRegex(@"^\s*using\s*(?:\(\s*[\w.]+\s+\w+\s*=[^()]*\.\s*Enter\s*\(\s*\)\s*\)|[\w.]+\s+\w+\s*=[^()]*\.\s*Enter\s*\(\s*\)\s*;)$")]
    private static partial Regex OwnedByUsing();
}
