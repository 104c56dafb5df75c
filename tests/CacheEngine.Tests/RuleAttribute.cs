namespace CacheEngine.Tests;

/// <summary>The rules, promises and scenarios that a test claims.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class RuleAttribute(params string[] ids) : Attribute
{
    public IReadOnlyList<string> Ids => ids;
}
