using CacheEngine.Flushing;
using CacheEngine.Sessions;

namespace CacheEngine.Arbitration;

/// <summary>The last flush of one engine that an object's record has applied.</summary>
/// <param name="Engine">Who flushed.</param>
/// <param name="Tid">The last record; flushes of one object by one engine are applied in order, so all before it have had their turn.</param>
internal readonly record struct AppliedFlush(EngineId Engine, FlushTid Tid);

/// <summary>What becomes of a flush record at the authority.</summary>
internal enum FlushStep : byte
{
    /// <summary>The object gets its value and version.</summary>
    Apply,

    /// <summary>It has had its effect: it is acknowledged again, and changes nothing.</summary>
    Repeat,

    /// <summary>The right that it was made under is gone: others may have changed the object since. It never takes effect.</summary>
    Refuse,
}

/// <summary>Whether a flush takes effect.</summary>
internal static class FlushDecision
{
    /// <param name="tid">The record.</param>
    /// <param name="applied">The last record of the same engine that this object has applied; zero: none.</param>
    /// <param name="holds">Whether the grant that the record names still stands, in whatever session of that engine.</param>
    /// <param name="implemented">What that grant has not given back.</param>
    /// <param name="version">The version that the flushed value got from its node.</param>
    /// <param name="current">The object's version.</param>
    /// <param name="versionLimit">The last version that the grant lets its holder give.</param>
    public static FlushStep Decide(
        FlushTid tid, FlushTid applied, bool holds, CapSet implemented, long version, long current, long versionLimit) =>
        tid <= applied ? FlushStep.Repeat
        : holds && implemented.Contains(CapSet.FileBuffer) && version > current && version <= versionLimit ? FlushStep.Apply
        : FlushStep.Refuse;
}
