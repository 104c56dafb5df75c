using System.Globalization;
using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load;

/// <summary>What the command line asks for.</summary>
/// <param name="Scenario">What to run; null to list what there is.</param>
/// <param name="Parameters">How to run it.</param>
/// <param name="Folder">Where reports go.</param>
internal sealed record CommandLine(LoadScenario? Scenario, LoadParameters Parameters, string Folder)
{
    private const string DefaultFolder = "load-reports";

    public static string Usage { get; } =
        $"""
        usage: dotnet run -c Release --project load -- list
               dotnet run -c Release --project load -- run NAME [options]

          --rate R        operations that begin in a second, 1 to {LoadParameters.MaxRate:N0}
          --seconds S     how long they are begun and measured, 1 to {LoadParameters.MaxSeconds:N0}
          --nodes N       how many nodes share the region, 1 to {LoadParameters.MaxNodes}
          --latency MS    how long a message is under way, 0 to {LoadParameters.MaxLatencyMilliseconds:N0} milliseconds
          --seed N        what arrivals and choices are drawn from
          --out FOLDER    where the reports go; default {DefaultFolder}

        exit codes: 0 all thresholds hold, 1 one is broken, 2 bad arguments
        """;

    /// <summary>Reads the arguments.</summary>
    /// <returns>Null if they are no good; then the error says why.</returns>
    public static CommandLine? Parse(string[] args, out string error)
    {
        error = "";
        switch (args)
        {
            case ["list"]:
                return new CommandLine(null, new LoadParameters(1, 1, 1), DefaultFolder);
            case ["run", [not '-', ..] name, .. string[] options] when ScenarioCatalog.Find(name) is { } scenario:
                return ParseOptions(new CommandLine(scenario, scenario.Defaults, DefaultFolder), options, out error);
            case ["run", [not '-', ..] name, ..]:
                error = $"There is no scenario '{name}'; there are {string.Join(", ", ScenarioCatalog.All.Select(static scenario => scenario.Name))}.";
                return null;
            case ["run", ..]:
                error = "The scenario's name must follow 'run'.";
                return null;
            default:
                error = args.Length == 0 ? "Say 'list' or 'run NAME'." : $"'{args[0]}' is neither 'list' alone nor 'run NAME'.";
                return null;
        }
    }

    private static CommandLine? ParseOptions(CommandLine parsed, string[] options, out string error)
    {
        error = "";
        for (int i = 0; i < options.Length; i += 2)
        {
            string option = options[i];
            string? text = i + 1 < options.Length ? options[i + 1] : null;
            LoadParameters parameters = parsed.Parameters;
            if (option == "--out" && text is { Length: > 0 })
            {
                parsed = parsed with { Folder = text };
                continue;
            }

            (int minimum, int maximum, Func<int, LoadParameters> change)? number = option switch
            {
                "--rate" => (1, LoadParameters.MaxRate, value => parameters with { Rate = value }),
                "--seconds" => (1, LoadParameters.MaxSeconds, value => parameters with { Seconds = value }),
                "--nodes" => (1, LoadParameters.MaxNodes, value => parameters with { Nodes = value }),
                "--latency" => (0, LoadParameters.MaxLatencyMilliseconds, value => parameters with { LatencyMilliseconds = value }),
                "--seed" => (0, int.MaxValue, value => parameters with { Seed = value }),
                _ => null,
            };
            if (number is not { } known)
            {
                error = option == "--out" ? "A folder must follow '--out'." : $"There is no option '{option}'.";
                return null;
            }

            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value < known.minimum || value > known.maximum)
            {
                error = $"A whole number from {known.minimum} to {known.maximum} must follow '{option}'{(text is null ? "" : $", not '{text}'")}.";
                return null;
            }

            parsed = parsed with { Parameters = known.change(value) };
        }

        return parsed;
    }
}
