namespace CacheEngine.Architecture.Arrows;

/// <summary>
/// What the pure room may mention: itself, and of the framework only what has no threads, no clock, no chance and no world outside.
/// </summary>
internal static class Purity
{
    private static readonly string[] BannedSpaces =
    [
        "System.Threading", "System.IO", "System.Net", "System.Timers", "System.Security.Cryptography", "System.Reflection", "Microsoft.Win32",
    ];

    private static readonly string[] BannedTypes =
    [
        "System.TimeProvider", "System.DateTime", "System.DateTimeOffset", "System.Diagnostics.Stopwatch", "System.Diagnostics.Process",
        "System.Random", "System.Guid", "System.HashCode", "System.Environment", "System.AppContext", "System.Console", "System.GC",
    ];

    public static IEnumerable<string> Violations(IEnumerable<Reference> references) =>
        from reference in references
        let fault = Judge(reference.From, reference.To)
        where fault is not null
        select $"{fault}: {reference.From} mentions {reference.To} in {reference.Member}";

    private static string? Judge(TypeName from, TypeName to) =>
        to.Assembly == from.Assembly ? null
        : !to.Assembly.StartsWith("System.", StringComparison.Ordinal) && to.Assembly != "netstandard" ? $"another library ({to.Assembly})"
        : BannedSpaces.Any(space => to.Namespace == space || to.Namespace.StartsWith(space + ".", StringComparison.Ordinal)) ? "not pure"
        : BannedTypes.Contains(to.ToString()) ? "not pure"
        : null;
}
