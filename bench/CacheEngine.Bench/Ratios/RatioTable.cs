using System.Globalization;

namespace CacheEngine.Bench.Ratios;

/// <summary>Prints a comparison, one line for each contender.</summary>
internal static class RatioTable
{
    /// <returns>Whether every gate of the comparison holds.</returns>
    public static bool Print(Comparison comparison)
    {
        bool isWithin = true;
        Console.WriteLine();
        Write(comparison.Name, "ns/op", "ratio", "B/op", "budget");
        for (int i = 0; i < comparison.Lines.Count; i++)
        {
            Line line = comparison.Lines[i];
            string verdict = "";
            if (line.Budget is { } budget)
            {
                double measured = comparison.Measure(budget);
                bool holds = measured <= budget.Limit;
                isWithin &= holds || !budget.IsGate;
                verdict = $"{Describe(comparison, budget, measured)} {(holds ? "PASS" : "FAIL")}{(budget.IsGate ? "" : " (no gate)")}";
            }

            Write("  " + line.Loop.Name, Figure(comparison.Nanoseconds(i)), Figure(comparison.Ratio(i, 0)), Figure(comparison.Bytes(i)), verdict);
        }

        return isWithin;
    }

    private static string Describe(Comparison comparison, Budget budget, double measured)
    {
        string subject = comparison.Lines[budget.Of].Loop.Name;
        return budget.To is { } to
            ? $"{subject} / {comparison.Lines[to].Loop.Name} {Figure(measured)} <= {Figure(budget.Limit)}"
            : $"<= {Figure(budget.Limit)} ns";
    }

    private static string Figure(double value) => value.ToString(value >= 100 ? "0" : "0.00", CultureInfo.InvariantCulture);

    private static void Write(string name, string nanoseconds, string ratio, string bytes, string budget) =>
        Console.WriteLine($"{name,-38} {nanoseconds,8} {ratio,7} {bytes,8}  {budget}".TrimEnd());
}
