using System.Globalization;

namespace Quickstart;

/// <summary>The command line.</summary>
/// <param name="Folder">Whose files are cached; null for the repository's own sources.</param>
/// <param name="Nodes">How many caches share them.</param>
/// <param name="Duration">How long they are read and written.</param>
/// <param name="RestartEvery">How long the authority lives before it is restarted under way; null for the whole run.</param>
/// <param name="KillEvery">How long the run goes on before another node is killed and replaced; null for no kills.</param>
internal sealed record Arguments(string? Folder, int Nodes, TimeSpan Duration, TimeSpan? RestartEvery, TimeSpan? KillEvery)
{
    private const int MaxNodes = 32;

    // Every change that a reader sees is a row of the history, kept until the end.
    private const int MaxSeconds = 300;

    private static Arguments Default { get; } = new(Folder: null, Nodes: 3, TimeSpan.FromSeconds(15), RestartEvery: null, KillEvery: null);

    public static string Usage { get; } =
        $"""
        usage: dotnet run -c Release --project examples/Quickstart [-- [FOLDER] [OPTIONS]]

          FOLDER       whose files are cached, as a copy; default: the repository's own src
          --nodes N    how many nodes cache them, 1 to {MaxNodes}; default {Default.Nodes}
          --seconds S  how long they are read and written, 1 to {MaxSeconds}; default {Default.Duration.TotalSeconds}
          --restart-authority R
                       crash and restart the authority every R seconds, 1 to {MaxSeconds}; default never
          --kill-node K
                       pull a node's plug every K seconds, 1 to {MaxSeconds}, and put another in its place; default never

        exit codes: 0 no stale read, 1 a contradiction was found, 2 bad arguments
        """;

    public static bool TryParse(string[] args, out Arguments parsed)
    {
        parsed = Default;
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--nodes" when TryNumber(args, ++i, MaxNodes, out int nodes):
                    parsed = parsed with { Nodes = nodes };
                    break;
                case "--seconds" when TryNumber(args, ++i, MaxSeconds, out int seconds):
                    parsed = parsed with { Duration = TimeSpan.FromSeconds(seconds) };
                    break;
                case "--restart-authority" when TryNumber(args, ++i, MaxSeconds, out int seconds):
                    parsed = parsed with { RestartEvery = TimeSpan.FromSeconds(seconds) };
                    break;
                case "--kill-node" when TryNumber(args, ++i, MaxSeconds, out int seconds):
                    parsed = parsed with { KillEvery = TimeSpan.FromSeconds(seconds) };
                    break;
                case [not '-', ..] folder when parsed.Folder is null:
                    parsed = parsed with { Folder = folder };
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    private static bool TryNumber(string[] args, int at, int maximum, out int number)
    {
        number = 0;
        return at < args.Length
            && int.TryParse(args[at], NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number >= 1
            && number <= maximum;
    }
}
