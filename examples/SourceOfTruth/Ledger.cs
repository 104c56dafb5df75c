using System.Collections.Concurrent;

namespace SourceOfTruth;

/// <summary>
/// What has been acknowledged, and how many reads returned something older. A read is stale if it returns a version and a newer one had been acknowledged
/// before the read was called. Thread-safe.
/// </summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, long> _acknowledged = new();
    private long _reads;
    private long _staleReads;

    public long Reads => Volatile.Read(ref _reads);

    public long StaleReads => Volatile.Read(ref _staleReads);

    /// <summary>A change has been acknowledged.</summary>
    public void Acknowledge(Product changed) =>
        _acknowledged.AddOrUpdate(changed.Name, changed.Version, (_, before) => Math.Max(before, changed.Version));

    /// <summary>The oldest version that a read which is called now may return.</summary>
    public long Floor(string name) => _acknowledged.GetValueOrDefault(name);

    /// <summary>A read has returned.</summary>
    /// <returns>Whether it was stale.</returns>
    public bool Check(Product found, long floor)
    {
        Interlocked.Increment(ref _reads);
        bool isStale = found.Version < floor;
        if (isStale)
        {
            Interlocked.Increment(ref _staleReads);
        }

        return isStale;
    }
}
