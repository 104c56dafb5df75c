namespace CacheEngine.Bench.Ratios;

/// <summary>A bound on one line of a comparison.</summary>
/// <param name="Of">The line that is measured.</param>
/// <param name="To">The line that it is measured by; null: by nanoseconds.</param>
/// <param name="Limit">The largest ratio, or the most nanoseconds.</param>
/// <param name="IsGate">Whether the run fails with it.</param>
internal sealed record Budget(int Of, int? To, double Limit, bool IsGate);

/// <summary>A line of a comparison: a contender and the bound that is printed with it, if there is one.</summary>
internal sealed record Line(Loop Loop, Budget? Budget = null);

/// <summary>
/// Contenders that take turns in the same rounds. A ratio is the median of the rounds' ratios, so that a slow moment of the machine counts on both sides.
/// </summary>
/// <param name="name">What the printed heading says.</param>
/// <param name="lines">The contenders; the first is what the others are compared with.</param>
internal sealed class Comparison(string name, params Line[] lines)
{
    private readonly List<Sample[]> _rounds = [];

    public string Name => name;

    public IReadOnlyList<Line> Lines => lines;

    public void WarmUp(TimeSpan slice)
    {
        foreach (Line line in lines)
        {
            _ = line.Loop.Take(slice);
        }
    }

    /// <summary>Measures every contender once, each time beginning with another one.</summary>
    public void Round(TimeSpan slice)
    {
        var samples = new Sample[lines.Length];
        for (int i = 0; i < lines.Length; i++)
        {
            int turn = (i + _rounds.Count) % lines.Length;
            samples[turn] = lines[turn].Loop.Take(slice);
        }

        _rounds.Add(samples);
    }

    public double Nanoseconds(int line) => Median.Of(_rounds.Select(round => round[line].Nanoseconds));

    public double Bytes(int line) => Median.Of(_rounds.Select(round => round[line].Bytes));

    public double Ratio(int line, int to) => Median.Of(_rounds.Select(round => round[line].Nanoseconds / round[to].Nanoseconds));

    public double Measure(Budget budget) => budget.To is { } to ? Ratio(budget.Of, to) : Nanoseconds(budget.Of);
}
