using System.Globalization;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>What one process of the stress is told, as words on its command line.</summary>
internal sealed record ChildOptions(string ConnectionString, int Index, int Processes, long Until, string Output, double Loss)
{
    public string[] ToArguments() =>
    [
        "child", ConnectionString, Text(Index), Text(Processes), Until.ToString(CultureInfo.InvariantCulture), Output, Loss.ToString(CultureInfo.InvariantCulture),
    ];

    public static ChildOptions Parse(string[] words) => new(
        words[0],
        int.Parse(words[1], CultureInfo.InvariantCulture),
        int.Parse(words[2], CultureInfo.InvariantCulture),
        long.Parse(words[3], CultureInfo.InvariantCulture),
        words[4],
        double.Parse(words[5], CultureInfo.InvariantCulture));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
