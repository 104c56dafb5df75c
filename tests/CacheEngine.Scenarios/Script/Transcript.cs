namespace CacheEngine.Scenarios.Script;

/// <summary>One step of a transcript: what is done, and what must be printed.</summary>
/// <param name="Source">The lines up to <c>then</c> as they stand in the file, comments and empty lines before them included.</param>
/// <param name="When">The commands.</param>
/// <param name="Then">The lines that are expected, without their indentation.</param>
internal sealed record Step(IReadOnlyList<string> Source, string When, IReadOnlyList<string> Then);

/// <summary>
/// A transcript as it stands in its file: a title, what is given, and steps of <c>when</c> and <c>then</c>.
/// </summary>
/// <param name="Head">The lines up to and with <c>given</c>.</param>
/// <param name="Given">What is given.</param>
/// <param name="Steps">The steps.</param>
internal sealed record Transcript(IReadOnlyList<string> Head, string Given, IReadOnlyList<Step> Steps)
{
    private const string Indent = "  ";

    public static Transcript Parse(IEnumerable<string> lines)
    {
        List<string> source = [];
        List<string> head = [];
        string? given = null;
        string? when = null;
        List<string>? then = null;
        List<Step> steps = [];
        foreach (string line in lines)
        {
            string text = line.Trim();
            bool isPrinted = then is not null && line.StartsWith(Indent, StringComparison.Ordinal);
            if (isPrinted)
            {
                then!.Add(line[Indent.Length..]);
                continue;
            }

            if (then is not null)
            {
                (source, then) = ([], null);
            }

            source.Add(line);
            if (text.Length == 0 || text[0] == '#')
            {
                continue;
            }

            if (text.StartsWith("given ", StringComparison.Ordinal) && given is null)
            {
                (given, head, source) = (text["given ".Length..], source, []);
            }
            else if (text.StartsWith("when ", StringComparison.Ordinal) && given is not null && when is null)
            {
                when = text["when ".Length..];
            }
            else if (text == "then" && when is not null)
            {
                then = [];
                steps.Add(new Step(source, when, then));
                when = null;
            }
            else if (when is not null && line.StartsWith(Indent, StringComparison.Ordinal))
            {
                when = $"{when} {text}";
            }
            else
            {
                throw new FormatException($"'{line}' is neither given, when nor then where it stands.");
            }
        }

        return given is not null && when is null && steps.Count > 0
            ? new Transcript(head, given, steps)
            : throw new FormatException("A transcript is given, and at least one when with its then.");
    }

    /// <summary>The lines of the file, with what was printed in place of what is expected.</summary>
    public List<string> With(IReadOnlyList<IReadOnlyList<string>> printed)
    {
        List<string> lines = [.. Head];
        for (int step = 0; step < Steps.Count; step++)
        {
            lines.AddRange(Steps[step].Source);
            lines.AddRange(printed[step].Select(static line => Indent + line));
        }

        return lines;
    }
}
