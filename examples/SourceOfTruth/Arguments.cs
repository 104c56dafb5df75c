using System.Globalization;

namespace SourceOfTruth;

/// <summary>The command line.</summary>
/// <param name="Folder">Where the documents go; null for a temporary folder.</param>
/// <param name="Traffic">How long the second act lasts.</param>
internal sealed record Arguments(string? Folder, TimeSpan Traffic)
{
    private const int MaxSeconds = 300;

    private static Arguments Default { get; } = new(Folder: null, TimeSpan.FromSeconds(5));

    public static string Usage { get; } =
        $"""
        usage: dotnet run -c Release --project examples/SourceOfTruth [-- [--folder PATH] [--seconds S]]

          --folder PATH  where the documents go, and stay: a folder that is empty or not there yet; default: a temporary one, deleted at the end
          --seconds S    how long the traffic of act 2 lasts, 1 to {MaxSeconds}; default {Default.Traffic.TotalSeconds}

        exit codes: 0 nothing was stale, and the control failed as it must; 1 otherwise; 2 bad arguments
        """;

    public static bool TryParse(string[] args, out Arguments parsed)
    {
        parsed = Default;
        for (int i = 0; i < args.Length; i++)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--folder" when value is { Length: > 0 } && IsFree(value):
                    parsed = parsed with { Folder = value };
                    break;
                case "--seconds" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds is >= 1 and <= MaxSeconds:
                    parsed = parsed with { Traffic = TimeSpan.FromSeconds(seconds) };
                    break;
                default:
                    return false;
            }

            i++;
        }

        return true;
    }

    private static bool IsFree(string path) => !File.Exists(path) && (!Directory.Exists(path) || !Directory.EnumerateFileSystemEntries(path).Any());
}
