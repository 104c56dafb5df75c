using CacheEngine.Load.Scenarios;

namespace CacheEngine.Load.Reports;

/// <summary>The scenarios that there are, for whoever chooses one.</summary>
internal static class ScenarioList
{
    public static string Describe(IEnumerable<LoadScenario> scenarios) => string.Join('\n', scenarios.Select(static scenario =>
        $"""
        {scenario.Name}
          {scenario.Description}
          one operation is {scenario.Operation}
          default: {Units.Count(scenario.Defaults.Rate)} operations a second for {scenario.Defaults.Seconds} s on {scenario.Defaults.Nodes} nodes

        """));
}
