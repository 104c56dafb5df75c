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

    /// <summary>Where values live, and how older writers are kept out of the source.</summary>
    public required SourceKind Source { get; init; }

    /// <summary>How long a write inside the source may stall.</summary>
    public required int StallMilliseconds { get; init; }

    /// <summary>The mean time between two restarts of the authority; zero: none.</summary>
    public required int RestartEveryMilliseconds { get; init; }

    /// <summary>The mean time between two broken connections, replies lost; zero: none.</summary>
    public required int BreakEveryMilliseconds { get; init; }

    /// <summary>How many nodes fall silent for good, one after the other, each replaced by a new one.</summary>
    public required int Deaths { get; init; }

    /// <summary>The share of messages that arrive twice.</summary>
    public required double RepeatedShare { get; init; }

    /// <summary>How long values live; zero: for ever.</summary>
    public required int ExpirationMilliseconds { get; init; }

    /// <summary>Whether messages that open sessions arrive a second time, late.</summary>
    public required bool RepeatsOpenings { get; init; }

    /// <summary>Whether some writers at the source never give their right back.</summary>
    public required bool ForgetsWrites { get; init; }

    /// <summary>Whether most writes are kept back by their nodes.</summary>
    public bool WritesBack { get; init; }

    /// <summary>How long a write is kept back.</summary>
    public int WriteBackDelayMilliseconds { get; init; } = 1000;

    /// <summary>How many keys a node may keep dirty.</summary>
    public int MaxDirty { get; init; } = 65_536;

    /// <summary>The authority's limit on the size of what is kept back; zero: none that counts.</summary>
    public int QuotaBytes { get; init; }

    /// <summary>How long the authority's changes are under way to durability.</summary>
    public int CommitDelayMilliseconds { get; init; }

    /// <summary>Whether a restart forgets what was not durable.</summary>
    public bool CutsTail { get; init; }

    /// <summary>The mean time between two evictions; zero: none.</summary>
    public int EvictEveryMilliseconds { get; init; }

    /// <summary>How many nodes leave in good order, one after the other, each replaced by a new one.</summary>
    public int Departures { get; init; }

    /// <summary>Whether a node that falls silent is isolated by the authority instead of cut off by the links.</summary>
    public bool Isolates { get; init; }

    /// <summary>Whether nothing in the run takes a right from somebody who is using it, or an answer from somebody who waits.</summary>
    public bool IsFaultless =>
        SilenceEveryMilliseconds == 0
        && RestartEveryMilliseconds == 0
        && BreakEveryMilliseconds == 0
        && Deaths == 0
        && EvictEveryMilliseconds == 0
        && Departures == 0
        && CommitDelayMilliseconds < LeaseTermMilliseconds / 8
        && !RepeatsOpenings
        && !ForgetsWrites
        && (SlowShare == 0 || SlowDelayMilliseconds < LeaseTermMilliseconds / 2)
        && (!AtSource || StallMilliseconds <= 1000);

    public bool AtSource => Source != SourceKind.None;

    public required int ThinkMilliseconds { get; init; }

    /// <summary>The scenario of a seed.</summary>
    public static Scenario Draw(ulong seed)
    {
        Random random = RandomOf(seed);
        Scenario drawn = DrawWriteThrough(seed, random);

        // What came later is drawn later: a seed keeps the rest of its shape.
        bool isAtAuthority = !drawn.AtSource;
        bool commitsLate = random.Next(4) == 0;
        return drawn with
        {
            WritesBack = random.Next(2) == 0 && isAtAuthority,
            WriteBackDelayMilliseconds = random.Next(4) switch { 0 => 5, 1 => 50, 2 => drawn.LeaseTermMilliseconds, _ => 5 * drawn.LeaseTermMilliseconds },
            MaxDirty = random.Next(4) == 0 ? random.Next(1, 3) : 65_536,
            QuotaBytes = random.Next(3) == 0 ? random.Next(10, 200) : 0,
            CommitDelayMilliseconds = commitsLate ? random.Next(5, 200) : 0,
            CutsTail = commitsLate && random.Next(3) != 0,
            RestartEveryMilliseconds = commitsLate && random.Next(2) == 0 ? random.Next(300, 3000) : drawn.RestartEveryMilliseconds,
            EvictEveryMilliseconds = random.Next(6) == 0 ? random.Next(300, 4000) : 0,
            Departures = random.Next(6) == 0 && isAtAuthority ? random.Next(1, 4) : 0,
            Isolates = random.Next(4) == 0,
        };
    }

    /// <summary>The scenario of a seed as it was before nodes kept writes back.</summary>
    public static Scenario DrawWriteThrough(ulong seed) => DrawWriteThrough(seed, RandomOf(seed));

    private static Random RandomOf(ulong seed) => new(unchecked((int)(seed * 2654435761) ^ 0x51ED));

    private static Scenario DrawWriteThrough(ulong seed, Random random)
    {
        int term = random.Next(3) switch { 0 => 300, 1 => 1000, _ => 3000 };
        bool hasSilences = random.Next(4) != 0;
        var drawn = new Scenario
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
            Source = random.Next(8) switch { 0 => SourceKind.Told, 1 or 2 => SourceKind.Fenced, 3 => SourceKind.Bounded, _ => SourceKind.None },
            ThinkMilliseconds = random.Next(3) switch { 0 => 3, 1 => 20, _ => 100 },
            StallMilliseconds = random.Next(3) switch { 0 => 5, 1 => term, _ => term * 4 },
            RestartEveryMilliseconds = random.Next(4) == 0 ? random.Next(500, 4000) : 0,
            BreakEveryMilliseconds = random.Next(4) == 0 ? random.Next(200, 3000) : 0,
            Deaths = random.Next(5) == 0 ? random.Next(1, 3) : 0,
            RepeatedShare = random.Next(3) == 0 ? 0.1 : 0,
            ExpirationMilliseconds = random.Next(4) == 0 ? random.Next(50, 2 * term) : 0,
            RepeatsOpenings = random.Next(6) == 0,
            ForgetsWrites = random.Next(4) == 1,
        };

        // Now and then values live so short, on links so slow, that answers end on the way.
        return random.Next(8) != 3 ? drawn : drawn with
        {
            Source = SourceKind.None,
            SlowShare = 0.3,
            SlowDelayMilliseconds = term / 2,
            ExpirationMilliseconds = random.Next(20, term / 2),
        };
    }
}

/// <summary>Where a run's values live.</summary>
internal enum SourceKind
{
    /// <summary>At the authority.</summary>
    None,

    /// <summary>At the source; its changes are told by removals.</summary>
    Told,

    /// <summary>At the source, which compares fences.</summary>
    Fenced,

    /// <summary>At the source, which compares nothing; its writes end in bounded time.</summary>
    Bounded,
}
