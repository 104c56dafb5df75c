using System.Diagnostics;
using Spectre.Console;

namespace Quickstart;

/// <summary>What is known while the run goes on: one line that changes on a terminal, else a line every few seconds.</summary>
internal static class LiveLine
{
    private static TimeSpan TerminalPeriod { get; } = TimeSpan.FromMilliseconds(250);
    private static TimeSpan LogPeriod { get; } = TimeSpan.FromSeconds(3);

    public static async Task ShowAsync(Workload workload, Task run)
    {
        long start = Stopwatch.GetTimestamp();
        string Line() => Describe(workload, Stopwatch.GetElapsedTime(start));
        Capabilities terminal = AnsiConsole.Profile.Capabilities;
        if (terminal.Interactive && terminal.Ansi && !Console.IsOutputRedirected)
        {
            await AnsiConsole.Status().StartAsync(
                Markup.Escape(Line()), context => RepeatAsync(run, TerminalPeriod, () => context.Status = Markup.Escape(Line())));
        }
        else
        {
            await RepeatAsync(run, LogPeriod, () => Console.WriteLine(Line()));
        }

        await run;
    }

    private static async Task RepeatAsync(Task run, TimeSpan period, Action show)
    {
        while (await Task.WhenAny(run, Task.Delay(period)) != run)
        {
            show();
        }

        show();
    }

    private static string Describe(Workload workload, TimeSpan elapsed)
    {
        (long reads, long hits) = (workload.Reads, workload.Hits);
        return $"{elapsed.TotalSeconds,5:F1} s   {reads:N0} reads   {Report.Share(hits, reads)} hits   "
            + $"{workload.Writes:N0} writes   {workload.Revokes:N0} revokes";
    }
}
