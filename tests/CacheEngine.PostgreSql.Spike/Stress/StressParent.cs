using System.Diagnostics;
using CacheEngine.PostgreSql.Server;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>
/// The coherence stress with real processes: starts a server and the processes, cuts sessions off, stops one process for a while, crashes the server in
/// the middle, stops another process, and judges what all of them saw.
/// </summary>
internal static class StressParent
{
    private static readonly TimeSpan StartUp = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Pause = StressChild.Options.LeaseTerm * 1.4;

    public static async Task<int> RunAsync(TimeSpan duration, int processes, double loss)
    {
        await using PostgreSqlServer server = await PostgreSqlServer.StartNewAsync();
        // One machine, one monotonic clock: the processes' timestamps can be compared.
        long until = Stopwatch.GetTimestamp() + (long)((StartUp + duration).TotalSeconds * Stopwatch.Frequency);
        ChildOptions[] options =
        [
            .. Enumerable.Range(0, processes).Select(i =>
                new ChildOptions(server.ConnectionString, i, processes, until, Path.Combine(server.Location, $"{i}.history"), loss)),
        ];
        Process[] children = [.. options.Select(static child => StartSelf(child.ToArguments()))];
        var cuts = new SessionCuts(server.ConnectionString, until);
        await Task.Delay(StartUp + (duration / 4));
        await PauseAsync(children[0]);
        await Task.Delay((duration / 2) - (duration / 4) - Pause);
        long crash = Stopwatch.GetTimestamp();
        await server.CrashAsync();
        await Task.Delay(500);
        await server.StartAsync();
        Console.WriteLine($"the server was away for {Stopwatch.GetElapsedTime(crash).TotalMilliseconds:0} ms");
        await Task.Delay(duration / 8);
        await PauseAsync(children[^1]);
        await Task.WhenAll(children.Select(static child => child.WaitForExitAsync()));
        Console.WriteLine($"{await cuts.FinishAsync()} sessions were cut off");
        if (children.Any(static child => child.ExitCode != 0))
        {
            Console.WriteLine("a process failed");
            return 1;
        }

        List<HistoryEvent> restores = await TakenBuffers.ReadAsync(server.ConnectionString);
        return Judge([.. options.Select(static child => ChildReport.Load(child.Output))], restores, duration);
    }

    /// <summary>Stops a process where it stands, for longer than its leases last: what it holds is taken, and it must not serve it when it goes on.</summary>
    private static async Task PauseAsync(Process process)
    {
        await Process.Start("kill", ["-STOP", $"{process.Id}"]).WaitForExitAsync();
        await Task.Delay(Pause);
        await Process.Start("kill", ["-CONT", $"{process.Id}"]).WaitForExitAsync();
    }

    /// <summary>Starts this program once more.</summary>
    public static Process StartSelf(string[] arguments)
    {
        string program = Environment.ProcessPath!;
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return Process.Start(new ProcessStartInfo(program, isHost ? [typeof(StressParent).Assembly.Location, .. arguments] : arguments)
        {
            UseShellExecute = false,
        })!;
    }

    private static int Judge(ChildReport[] reports, List<HistoryEvent> restores, TimeSpan duration)
    {
        HistoryEvent[] history = [.. reports.SelectMany(static report => report.History), .. restores];
        ToldLoss[] losses = [.. reports.SelectMany(static report => report.Losses)];
        List<Violation> violations = [.. IntervalChecker.Check(history), .. LossChecker.Check(history, losses)];
        foreach (Violation violation in violations)
        {
            Console.WriteLine(violation);
        }

        long acknowledged = reports.Sum(static report => report.Acknowledged);
        long unknown = reports.Sum(static report => report.Unknown);
        long counter = reports.Max(static report => report.Counter);
        bool isCounted = counter >= acknowledged && counter <= acknowledged + unknown && reports.All(report => report.Counter == counter);
        long refused = reports.Sum(static report => report.Refused);
        long operations = reports.Sum(static report => report.Writes + report.Questions + report.Acknowledged);
        long trips = reports.Sum(static report => report.RoundTrips);
        Console.WriteLine(
            $"{reports.Length} processes, {duration.TotalSeconds:0} s: {history.Length} events, {reports.Sum(static r => r.Reads)} reads recorded, "
            + $"{reports.Sum(static r => r.Hits)} hits, {reports.Sum(static r => r.Writes)} writes, {reports.Sum(static r => r.Loads)} loads, "
            + $"{reports.Sum(static r => r.Questions)} questions, {reports.Sum(static r => r.Revokes)} revokes, "
            + $"{reports.Sum(static r => r.Unavailable)} unavailable");
        Console.WriteLine(
            $"write-back: {reports.Sum(static r => r.Buffered)} buffered, {reports.Sum(static r => r.Flushes)} flushes waited for, {restores.Count} buffers taken, "
            + $"{losses.Length} losses told of {losses.Sum(static loss => loss.Last - loss.First + 1)} writes");
        Console.WriteLine($"counter {counter}: {acknowledged} acknowledged, {unknown} unknown{(isCounted ? string.Empty : " - WRONG")}");
        Console.WriteLine(
            $"{trips} round trips for {operations} operations that asked: {(double)trips / operations:0.00} each; "
            + $"{reports.Sum(static r => r.Failures)} calls failed and were repeated; {refused} messages refused");
        Console.WriteLine($"set: {Percentiles(reports.SelectMany(static r => r.SetTimes))}; update: {Percentiles(reports.SelectMany(static r => r.UpdateTimes))}");
        bool isClean = violations.Count == 0 && isCounted && refused == 0 && reports.All(static report => report.Hits > 0 && report.Writes > 0 && report.Buffered > 0 && report.Flushes > 0);
        Console.WriteLine(isClean ? "clean" : "NOT CLEAN");
        return isClean ? 0 : 1;
    }

    private static string Percentiles(IEnumerable<long> microseconds)
    {
        long[] sorted = [.. microseconds.Order()];
        return sorted.Length == 0 ? "none"
            : $"p50 {sorted[sorted.Length / 2] / 1000.0:0.0} ms, p99 {sorted[(int)(sorted.Length * 0.99)] / 1000.0:0.0} ms, max {sorted[^1] / 1000.0:0.0} ms";
    }
}
