namespace CacheEngine.Arbitration;

/// <summary>What a write expects of the object's version; the default expects nothing.</summary>
/// <remarks>Versions only grow, so a precondition that fails once fails for ever: such a request is refused at once, before anybody is disturbed.</remarks>
internal readonly record struct Precondition(bool IsStated, long Version)
{
    public static Precondition Exactly(long version) => new(true, version);

    public Refusal Judge(long current) =>
        !IsStated || Version == current ? Refusal.None
        : Version > current ? Refusal.VersionUnknown
        : Refusal.VersionDiffers;
}
