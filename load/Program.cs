using CacheEngine.Load;
using CacheEngine.Load.Judging;
using CacheEngine.Load.Measuring;
using CacheEngine.Load.Reports;
using CacheEngine.Load.Scenarios;

// Brings load to a cluster of caches in this process, checks every read, and judges what was measured.
if (CommandLine.Parse(args, out string error) is not { } command)
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine(CommandLine.Usage);
    return ExitCode.Usage;
}

if (command.Scenario is not { } scenario)
{
    Console.WriteLine(ScenarioList.Describe(ScenarioCatalog.All));
    return ExitCode.Success;
}

if (!ReportFolder.TryCreate(command.Folder, out error))
{
    Console.Error.WriteLine(error);
    return ExitCode.Usage;
}

LoadParameters parameters = command.Parameters;
Console.WriteLine($"{scenario.Name}: {scenario.Description}");
Console.WriteLine($"{parameters.Rate:N0} operations a second for {parameters.Seconds} s on {parameters.Nodes} nodes ...");
RunResult result = await LoadRun.ExecuteAsync(scenario, parameters);
var report = LoadReport.Of(scenario, parameters, result, Judge.All(scenario.Thresholds, result));
Console.WriteLine();
Console.WriteLine(MarkdownReport.Summary(report));
Console.WriteLine($"reports: {ReportFolder.Write(command.Folder, report)}");
return report.IsPassed ? ExitCode.Success : ExitCode.ThresholdBroken;
