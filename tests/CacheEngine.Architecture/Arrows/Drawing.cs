namespace CacheEngine.Architecture.Arrows;

/// <summary>
/// The drawing of the rooms: one level a line, highest first. An arrow may point to any lower level; within a level only where the level says so.
/// </summary>
internal static class Drawing
{
    public const string Core = "Core";
    public const string Engine = "Engine";

    public static readonly IReadOnlyList<Level> Levels =
    [
        new(["Coherence", "Adapters"]),
        new([Engine]),
        new(["Embedded", "Flushing"]),

        // The one permitted cycle: a cap is the edge between an inode and a session.
        new(["Caps", "Inodes", "Sessions"], MayPointSideways: true),
        new(["Authority", "Reservations"]),
        new(["Sync", "Diagnostics"]),
        new([Core]),
    ];

    /// <summary>Which of the arrows go up, sideways, or from or to a room that is not in the drawing.</summary>
    public static List<string> Violations(IEnumerable<Arrow> arrows) =>
        [.. arrows.Select(Judge).OfType<string>().Distinct().Order(StringComparer.Ordinal)];

    private static string? Judge(Arrow arrow)
    {
        int from = IndexOf(arrow.FromRoom);
        int to = IndexOf(arrow.ToRoom);
        string? fault = from < 0 || to < 0 ? "unknown room"
            : to < from ? "up"
            : to == from && arrow.FromRoom != arrow.ToRoom && !Levels[from].MayPointSideways ? "sideways"
            : null;
        return fault is null ? null
            : $"{fault}: {arrow.FromRoom} -> {arrow.ToRoom}: {arrow.Reference.From} mentions {arrow.Reference.To} in {arrow.Reference.Member}";
    }

    private static int IndexOf(string room)
    {
        for (int i = 0; i < Levels.Count; i++)
        {
            if (Levels[i].Rooms.Contains(room))
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>Rooms that stand beside each other.</summary>
internal sealed record Level(IReadOnlyList<string> Rooms, bool MayPointSideways = false);

/// <summary>A reference, seen from the rooms.</summary>
internal readonly record struct Arrow(string FromRoom, string ToRoom, Reference Reference);
