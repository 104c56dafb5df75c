namespace CacheEngine.Load.Scenarios;

/// <summary>The scenarios that there are.</summary>
public static class ScenarioCatalog
{
    public static IReadOnlyList<LoadScenario> All { get; } = [MixedZipf.Scenario, HotKeyRevoke.Scenario, ColdHerd.Scenario];

    public static LoadScenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
