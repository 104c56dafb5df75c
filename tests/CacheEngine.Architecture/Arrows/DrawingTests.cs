namespace CacheEngine.Architecture.Arrows;

/// <summary>The checker itself, fed with made-up references: it reports what is against the drawing and nothing else.</summary>
public sealed class DrawingTests
{
    [Fact]
    public void Violations_OneUpAndOneSideways_AreExactlyWhatIsReported()
    {
        Arrow[] arrows =
        [
            Forge("Coherence", "Engine"),
            Forge("Coherence", "Core"),
            Forge("Embedded", "Authority"),
            Forge("Caps", "Inodes"),
            Forge("Inodes", "Sessions"),
            Forge("Sessions", "Caps"),
            Forge("Sync", "Sync"),
            Forge("Sync", "Coherence"),
            Forge("Authority", "Reservations"),
        ];

        Assert.Equal(
            [
                "sideways: Authority -> Reservations: CacheEngine.Authority.A mentions CacheEngine.Reservations.B in A.M",
                "up: Sync -> Coherence: CacheEngine.Sync.A mentions CacheEngine.Coherence.B in A.M",
            ],
            Drawing.Violations(arrows));
    }

    [Fact]
    public void Violations_RoomThatIsNotDrawn_IsReported() =>
        Assert.Equal(["unknown room: Attic -> Core: CacheEngine.Attic.A mentions CacheEngine.Core.B in A.M"], Drawing.Violations([Forge("Attic", "Core")]));

    [Fact]
    public void Levels_NameEachRoomOnce()
    {
        List<string> rooms = [.. Drawing.Levels.SelectMany(static level => level.Rooms)];
        Assert.Equal(rooms.Distinct(), rooms);
    }

    private static Arrow Forge(string from, string to) =>
        new(from, to, new Reference(new TypeName("CacheEngine", $"CacheEngine.{from}", "A"), "A.M", new TypeName("CacheEngine", $"CacheEngine.{to}", "B")));
}
