namespace CacheEngine.Architecture.Arrows;

/// <summary>The rooms of the code as it is built, held against the drawing.</summary>
public sealed class ArrowTests
{
    private static readonly RoomMap Rooms = new(Repository.Sources());

    private static readonly IReadOnlyList<Reference> References =
        [.. Repository.Assemblies.SelectMany(static assembly => AssemblyReferences.Read(assembly.Location))];

    [Fact]
    public void Rooms_PointDownOnly() =>
        AssertNone("Arrows against the drawing", Drawing.Violations(Rooms.Arrows(References)));

    [Fact]
    public void Rooms_AreFoldersAndNamespaces() =>
        AssertNone(
            "Types whose folder and namespace differ",
            from type in Rooms.Declarations
            let expected = type.IsPublic || type.Room == Drawing.Engine ? "CacheEngine" : $"CacheEngine.{type.Room}"
            where type.Namespace != expected
            select $"{type.Path}: {type.Name} is in namespace {type.Namespace}, not in {expected}");

    [Fact]
    public void Core_MentionsNothingButItselfAndPureParts() =>
        AssertNone("What the pure room may not mention", Purity.Violations(References.Where(static reference => reference.From.Assembly == "CacheEngine.Core")));

    [Fact]
    public void Purity_ThreadsClocksAndOtherLibraries_AreReported()
    {
        var from = new TypeName("CacheEngine.Core", "CacheEngine.Caps", "A");
        TypeName[] mentioned =
        [
            new("System.Runtime", "System", "Int128"),
            new("System.Collections", "System.Collections.Generic", "List`1"),
            new("CacheEngine.Core", "CacheEngine.Caps", "CapSet"),
            new("System.Runtime", "System", "TimeProvider"),
            new("System.Runtime", "System.Threading.Tasks", "Task"),
            new("System.Threading", "System.Threading", "Interlocked"),
            new("CacheEngine", "CacheEngine.Sync", "SpinGate"),
        ];
        Assert.Equal(4, Purity.Violations(mentioned.Select(to => new Reference(from, "A.M", to))).Count());
    }

    private static void AssertNone(string what, IEnumerable<string> violations)
    {
        string all = string.Join('\n', violations);
        Assert.True(all.Length == 0, $"{what}:\n{all}");
    }
}
