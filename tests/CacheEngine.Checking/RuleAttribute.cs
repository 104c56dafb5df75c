namespace CacheEngine.Checking;

/// <summary>The ids of the rules, traps, scenarios and promises that a test claims.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class RuleAttribute(params string[] ids) : Attribute
{
    public IReadOnlyList<string> Ids { get; } = ids;
}
