using System.Globalization;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>What the executable can be told to do.</summary>
internal static class CommandLine
{
    private const string Usage = """
        stress [--seconds 60] [--processes 2] [--loss 0.2]   the coherence stress, at least 12 s, with pauses of a process and a crash of the server; 0: clean
        measure                                              round trips and latencies of each kind of operation
        """;

    public static Task<int> RunAsync(string[] arguments) => arguments switch
    {
        ["stress", .. string[] rest] => StressParent.RunAsync(
            TimeSpan.FromSeconds(Math.Max(12, Option(rest, "--seconds", 60))), (int)Option(rest, "--processes", 2), Option(rest, "--loss", 0.2)),
        ["child", .. string[] rest] => StressChild.RunAsync(ChildOptions.Parse(rest)),
        ["measure"] => Measure.RunAsync(),
        ["share", string connectionString] => Measure.ShareAsync(connectionString),
        _ => TellUsageAsync(),
    };

    private static double Option(string[] arguments, string name, double unlessGiven)
    {
        int at = Array.IndexOf(arguments, name);
        return at < 0 || at + 1 >= arguments.Length ? unlessGiven : double.Parse(arguments[at + 1], CultureInfo.InvariantCulture);
    }

    private static async Task<int> TellUsageAsync()
    {
        await Console.Error.WriteLineAsync(Usage);
        return 2;
    }
}
