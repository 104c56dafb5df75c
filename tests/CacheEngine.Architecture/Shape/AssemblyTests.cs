using System.Reflection;

namespace CacheEngine.Architecture.Shape;

/// <summary>What the two assemblies promise to those who build on them.</summary>
public sealed class AssemblyTests
{
    public static TheoryData<string> Names => new([.. Repository.Assemblies.Select(static assembly => assembly.GetName().Name!)]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Assembly_HasAStrongName(string name) => Assert.NotEmpty(Find(name).GetName().GetPublicKeyToken()!);

    [Theory]
    [MemberData(nameof(Names))]
    public void Assembly_IsMarkedForAheadOfTimeCompilation(string name) =>
        Assert.Contains(Find(name).GetCustomAttributes<AssemblyMetadataAttribute>(), static data => data is { Key: "IsAotCompatible", Value: "True" });

    private static Assembly Find(string name) => Repository.Assemblies.Single(assembly => assembly.GetName().Name == name);
}
