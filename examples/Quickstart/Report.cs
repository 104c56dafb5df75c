using CacheEngine.Checking;
using Spectre.Console;

namespace Quickstart;

/// <summary>The table at the end, and what was found wrong.</summary>
internal static class Report
{
    private const int MaxShown = 20;

    public static void Print(Outcome outcome)
    {
        Table table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("What", "Figure");
        table.Columns[1].RightAligned();
        void Row(string what, string figure) => table.AddRow(Markup.Escape(what), Markup.Escape(figure));

        Row("files / nodes", $"{outcome.Files:N0} / {outcome.Nodes}");
        Row("reads, every one checked", $"{outcome.Reads:N0}");
        Row("hits", $"{outcome.Hits:N0}");
        Row("hit ratio", Share(outcome.Hits, outcome.Reads));
        Row("loads from disk", $"{outcome.Loads:N0}");
        Row("writes", $"{outcome.Writes:N0}");
        Row("revokes", $"{outcome.Revokes:N0}");
        if (outcome.Restarts > 0)
        {
            Row("restarts of the authority", $"{outcome.Restarts:N0}");
        }

        if (outcome.Killed > 0)
        {
            Row($"nodes killed, with leases of {outcome.LeaseTerm.TotalSeconds} s", $"{outcome.Killed:N0}");
            Row("hits that dead nodes served", $"{outcome.HitsOfTheDead:N0}");
        }

        if (outcome.Restarts > 0 || outcome.Killed > 0)
        {
            Row("writes without an answer", $"{outcome.RepeatedWrites:N0}");
        }

        Row(
            "write p50 / p99 / longest, µs",
            $"{Microseconds(outcome.WriteLatency(0.50))} / {Microseconds(outcome.WriteLatency(0.99))} / {Microseconds(outcome.WriteLatency(1))}");
        Row("one hit, ns", $"{outcome.HitCost.Nanoseconds:F1}");
        Row("bytes allocated per hit", $"{outcome.HitCost.AllocatedBytes:0.####}");
        Row("files that differ from the disk", $"{outcome.Mismatches.Count:N0}");
        Row("contradictions in the history", $"{outcome.Violations.Count:N0}{(outcome.Violations.Count == Outcome.MaxViolations ? " or more" : "")}");
        Row("stale reads", $"{outcome.StaleReads:N0}");
        AnsiConsole.Write(table);
        Console.WriteLine($"stale reads: {outcome.StaleReads} (the whole history was checked in {outcome.Checking.TotalSeconds:F1} s)");
        PrintFindings(outcome);
    }

    public static string Share(long part, long whole) => whole == 0 ? "-" : $"{100.0 * part / whole:F2} %";

    private static string Microseconds(TimeSpan? span) => span is { } known ? $"{known.TotalMicroseconds:N0}" : "-";

    private static void PrintFindings(Outcome outcome)
    {
        foreach (Violation violation in outcome.Violations.Take(MaxShown))
        {
            Console.WriteLine($"{violation.Rule}, file {violation.Key}: {violation.Detail}");
        }

        foreach (string mismatch in outcome.Mismatches.Take(MaxShown))
        {
            Console.WriteLine(mismatch);
        }

        if (outcome.RefusedMessages > 0)
        {
            Console.WriteLine($"the authority refused {outcome.RefusedMessages} messages");
        }
    }
}
