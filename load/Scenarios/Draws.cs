namespace CacheEngine.Load.Scenarios;

/// <summary>The random numbers of one arrival (SplitMix64): made from the seed and the arrival's number, so threads share nothing.</summary>
internal struct Draws(int seed, long arrival)
{
    private const ulong Golden = 0x9E37_79B9_7F4A_7C15;

    private ulong _state = Mix(((ulong)(uint)seed << 32) ^ (Golden * (ulong)(arrival + 1)));

    /// <summary>From zero, included, to one, excluded.</summary>
    public double Share() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>From zero, included, to a bound, excluded.</summary>
    public int Below(int bound) => (int)(((UInt128)Next() * (ulong)bound) >> 64);

    private ulong Next() => Mix(_state += Golden);

    private static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xBF58_476D_1CE4_E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D0_49BB_1331_11EB;
        return bits ^ (bits >> 31);
    }
}
