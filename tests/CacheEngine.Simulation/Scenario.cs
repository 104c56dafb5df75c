namespace CacheEngine.Simulation;

/// <summary>The shape of one run, drawn from its seed: each seed mixes other faults and another load.</summary>
internal sealed record Scenario
{
    public required ulong Seed { get; init; }

    public required int Nodes { get; init; }

    public required int Keys { get; init; }

    public required int ClientsPerNode { get; init; }

    public required int Seconds { get; init; }

    public required int LeaseTermMilliseconds { get; init; }

    public required double ClockDrift { get; init; }

    public required int TypicalDelayMilliseconds { get; init; }

    public required double SlowShare { get; init; }

    public required int SlowDelayMilliseconds { get; init; }

    /// <summary>The mean time between two silences of a run; zero: none.</summary>
    public required int SilenceEveryMilliseconds { get; init; }

    /// <summary>The longest silence.</summary>
    public required int SilenceMilliseconds { get; init; }

    public required bool CopyValues { get; init; }

    public required bool AtSource { get; init; }

    public required int ThinkMilliseconds { get; init; }

    public static Scenario Draw(ulong seed)
    {
        var random = new Random(unchecked((int)(seed * 2654435761) ^ 0x51ED));
        int term = random.Next(3) switch { 0 => 300, 1 => 1000, _ => 3000 };
        bool hasSilences = random.Next(4) != 0;
        return new Scenario
        {
            Seed = seed,
            Nodes = random.Next(2, 6),
            Keys = random.Next(1, 5),
            ClientsPerNode = random.Next(1, 4),
            Seconds = random.Next(5, 25),
            LeaseTermMilliseconds = term,
            ClockDrift = random.Next(2) == 0 ? 0 : 0.01,
            TypicalDelayMilliseconds = random.Next(3) switch { 0 => 0, 1 => 2, _ => 30 },
            SlowShare = random.Next(3) switch { 0 => 0, 1 => 0.02, _ => 0.2 },
            SlowDelayMilliseconds = random.Next(2) == 0 ? term / 4 : term,
            SilenceEveryMilliseconds = hasSilences ? random.Next(200, 3000) : 0,
            SilenceMilliseconds = random.Next(5) switch { 0 => term / 3, 4 => term * 8, _ => term * 2 },
            CopyValues = random.Next(2) == 0,
            AtSource = random.Next(4) == 0,
            ThinkMilliseconds = random.Next(3) switch { 0 => 3, 1 => 20, _ => 100 },
        };
    }
}
