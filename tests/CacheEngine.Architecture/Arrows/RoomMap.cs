using System.Text.RegularExpressions;

namespace CacheEngine.Architecture.Arrows;

/// <summary>
/// Says in which room a type lives: the folder below src/CacheEngine whose file declares it; all of CacheEngine.Core is one room.
/// </summary>
/// <remarks>Public types share the namespace of the library, so the folder is what tells. No list of them is kept here: the sources are scanned.</remarks>
internal sealed partial class RoomMap
{
    private const string Engine = "CacheEngine";
    private const string CoreAssembly = "CacheEngine.Core";

    private readonly Dictionary<string, Declaration> _byName = [];

    public RoomMap(IEnumerable<SourceFile> sources)
    {
        foreach (SourceFile file in sources)
        {
            string[] parts = file.Path.Split('/');
            if (parts is not ["src", Engine, ..])
            {
                continue;
            }

            string room = parts.Length == 3 ? Drawing.Engine : parts[2];
            string space = NamespaceLine().Match(file.Text).Groups[1].Value;
            foreach (Match match in OutermostDeclaration().Matches(file.Text))
            {
                string name = match.Groups["name"].Value;
                bool isPublic = match.Groups["access"].Value == "public";
                _ = _byName.TryAdd($"{space}.{name}", new Declaration(file.Path, space, name, room, isPublic));
            }
        }
    }

    /// <summary>Every outermost type that src/CacheEngine declares, once.</summary>
    public IEnumerable<Declaration> Declarations => _byName.Values;

    /// <summary>The room; null for a type of another library or one that only the compiler knows.</summary>
    public string? RoomOf(TypeName type)
    {
        if (type.Assembly == CoreAssembly)
        {
            return Drawing.Core;
        }

        if (type.Assembly != Engine || IsCompilersOwn(type))
        {
            return null;
        }

        string plain = $"{type.Namespace}.{type.Name.Split('`')[0]}";
        return _byName.TryGetValue(plain, out Declaration? found)
            ? found.Room
            : throw new InvalidOperationException($"No file below src/{Engine} declares {plain}: the assembly and the sources differ.");
    }

    /// <summary>The arrows of the drawing that some references make.</summary>
    public IEnumerable<Arrow> Arrows(IEnumerable<Reference> references) =>
        from reference in references
        let fromRoom = RoomOf(reference.From)
        let toRoom = RoomOf(reference.To)
        where fromRoom is not null && toRoom is not null
        select new Arrow(fromRoom, toRoom, reference);

    // Helpers that the compiler emits outside of any type of ours: they carry no code of ours.
    private static bool IsCompilersOwn(TypeName type) =>
        type.Name.StartsWith('<')
        || type.Namespace.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal)
        || type.Namespace.StartsWith("System.", StringComparison.Ordinal);

    [GeneratedRegex(@"^namespace\s+([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(
        @"^(?<access>public|internal)\s+(?:(?:static|abstract|sealed|readonly|ref)\s+)*(?:record\s+struct|record|class|struct|interface|enum|delegate\s+[\w<>?]+)\s+(?<name>\w+)",
        RegexOptions.Multiline)]
    private static partial Regex OutermostDeclaration();
}

/// <summary>Where an outermost type is declared.</summary>
internal sealed record Declaration(string Path, string Namespace, string Name, string Room, bool IsPublic);
