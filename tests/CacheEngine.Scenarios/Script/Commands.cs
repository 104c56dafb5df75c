using System.Globalization;
using System.Text.RegularExpressions;
using CacheEngine.Embedded;
using CacheEngine.Scenarios.Stage;

namespace CacheEngine.Scenarios.Script;

/// <summary>The words of one command: what stood at the places of its form.</summary>
internal readonly struct Words(Match match)
{
    public string Text => match.Value;

    public string Node => match.Groups["node"].Value;

    public string Key => match.Groups["key"].Value;

    public string Value => match.Groups["value"].Value;

    public string Version => match.Groups["version"].Value;

    public int Count => int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture);

    public bool HasTime => match.Groups["time"].Success;

    public long Milliseconds =>
        long.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture) * (match.Groups["unit"].Value == "s" ? 1000 : 1);

    /// <summary>The named direction, or both.</summary>
    public LinkDirection[] Directions => match.Groups["way"].Value switch
    {
        "in" => [LinkDirection.ToNode],
        "out" => [LinkDirection.ToAuthority],
        _ => [LinkDirection.ToAuthority, LinkDirection.ToNode],
    };
}

/// <summary>
/// What <c>when</c> can say, as data: a form and what it does. To add a command, add a row.
/// </summary>
internal static class Commands
{
    private static readonly List<(Regex Form, Action<Play, Words> Do)> Table =
    [
        .. Calls.Table.Select(static row => (Form(row.Form), row.Do)),
        .. Faults.Table.Select(static row => (Form(row.Form), row.Do)),
    ];

    /// <summary>Does what a <c>when</c> says: those joined by <c>;</c> one after another, each when everything is quiet again; those joined by <c>&amp;</c> at once.</summary>
    public static void Do(Play play, string when)
    {
        foreach (string group in when.Split(';'))
        {
            foreach (string command in group.Split('&'))
            {
                DoOne(play, command.Trim());
            }

            play.World.RunUntilQuiet();
        }
    }

    private static void DoOne(Play play, string command)
    {
        foreach ((Regex form, Action<Play, Words> act) in Table)
        {
            Match match = form.Match(command);
            if (match.Success)
            {
                if (match.Groups["key"].Success)
                {
                    play.Names.AddKey(match.Groups["key"].Value);
                }

                act(play, new Words(match));
                return;
            }
        }

        throw new FormatException($"No command has the form of '{command}'.");
    }

    private static Regex Form(string form)
    {
        string pattern = form
            .Replace("{node}", @"(?<node>[A-Z]\w*)", StringComparison.Ordinal)
            .Replace("{key}", @"(?<key>[a-z]\w*)", StringComparison.Ordinal)
            .Replace("{value}", @"(?<value>\S+)", StringComparison.Ordinal)
            .Replace("{version}", @"(?<version>v\d+)", StringComparison.Ordinal)
            .Replace("{count}", @"(?<count>\d+)", StringComparison.Ordinal)
            .Replace("{time}", @"(?<time>\d+)(?<unit>ms|s)", StringComparison.Ordinal)
            .Replace("{way}", "(?<way>in|out)", StringComparison.Ordinal)
            .Replace("{call}", "(?<value>.+)", StringComparison.Ordinal);
        return new Regex($"^{pattern}$", RegexOptions.CultureInvariant);
    }
}
