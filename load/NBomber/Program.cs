using CacheEngine.Load.NBomber;
using CacheEngine.Load.Scenarios;
using NBomber.Contracts.Stats;
using NBomber.CSharp;

// Runs scenarios of ../Scenarios at their defaults under NBomber: those that are named, one after the other, or all. What begins with a dash
// is NBomber's own, its licence key for instance.
string[] options = [.. args.Where(static arg => arg.StartsWith('-'))];
string[] names = [.. args.Except(options).DefaultIfEmpty("all")];
LoadScenario?[] scenarios = names is ["all"] ? [.. ScenarioCatalog.All] : [.. names.Select(ScenarioCatalog.Find)];
if (scenarios.Contains(null))
{
    Console.Error.WriteLine($"usage: [all | NAME ...]; the names are {string.Join(", ", ScenarioCatalog.All.Select(static scenario => scenario.Name))}");
    return 2;
}

bool isPassed = true;
foreach (LoadScenario scenario in scenarios.OfType<LoadScenario>())
{
    NodeStats stats = NBomberRunner
        .RegisterScenarios(new HostedScenario(scenario).ToProps())
        .WithTestSuite("CacheEngine")
        .WithTestName(scenario.Name)
        .WithReportFolder(Path.Combine("load-reports", "nbomber", scenario.Name))
        .WithReportFormats(ReportFormat.Md, ReportFormat.Html)
        .Run(options);
    isPassed &= stats.AllOkCount > 0 && stats.AllFailCount == 0 && stats.Thresholds.All(static threshold => !threshold.IsFailed);
}

return isPassed ? 0 : 1;
