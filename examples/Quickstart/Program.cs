using CacheEngine;
using Quickstart;

// Some nodes cache one folder of real files. While readers read them on every node, writers revise them on disk and through the cache. Every
// read of the whole run is recorded and checked: a single stale one fails the run.
if (!Arguments.TryParse(args, out Arguments arguments))
{
    Console.Error.WriteLine(Arguments.Usage);
    return ExitCode.Usage;
}

string? folder = arguments.Folder ?? Repository.FindSource();
if (folder is null)
{
    Console.Error.WriteLine("No FOLDER is given, and there is no CacheEngine.sln above this program or the current directory.");
    return ExitCode.Usage;
}

if (!Directory.Exists(folder))
{
    Console.Error.WriteLine($"There is no folder '{folder}'.");
    return ExitCode.Usage;
}

using WorkingCopy copy = WorkingCopy.Of(folder);
if (copy.Files.Count == 0)
{
    Console.Error.WriteLine($"'{folder}' holds no file of up to {WorkingCopy.MaxFileBytes / 1024} KiB that can be read.");
    return ExitCode.Usage;
}

// The first Ctrl+C ends the run early; what was done is still checked, and the copies are deleted.
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    await using Workload workload = await Workload.OpenAsync(copy, arguments);
    stop.CancelAfter(arguments.Duration);
    await LiveLine.ShowAsync(workload, workload.RunAsync(stop.Token));
    Outcome outcome = await workload.FinishAsync();
    Report.Print(outcome);
    return outcome.IsCoherent ? ExitCode.Success : ExitCode.Incoherent;
}
catch (AuthorityUnavailableException exception)
{
    Console.Error.WriteLine($"The run was given up: {exception.Message}");
    return ExitCode.Incoherent;
}
