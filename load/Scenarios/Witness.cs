namespace CacheEngine.Load.Scenarios;

/// <summary>
/// The newest stamp of each key that anybody has seen: acknowledged to a writer, or returned to a reader. A stamp is whatever grows with every
/// write of its key: a sequence that the value carries, or the authority's version. Thread-safe.
/// </summary>
/// <remarks>
/// The rule of coherence in one line: a reader takes the floor, then calls; what is returned must not be below the floor. A reader that is told
/// of something new binds those who call later, just as a writer does, so reads that go back are found too.
/// </remarks>
internal sealed class Witness(int keys)
{
    private readonly long[] _newest = new long[keys];

    /// <summary>What a read that is called from now on must show at least. To be taken before the call.</summary>
    public long Floor(int key) => Volatile.Read(ref _newest[key]);

    /// <summary>Takes a stamp into account that a finished operation has returned.</summary>
    public void Saw(int key, long stamp)
    {
        long newest = Volatile.Read(ref _newest[key]);
        while (stamp > newest)
        {
            long found = Interlocked.CompareExchange(ref _newest[key], stamp, newest);
            if (found == newest)
            {
                return;
            }

            newest = found;
        }
    }

    /// <summary>Whether a read that was called at this floor may return this stamp; takes it into account if so.</summary>
    public bool Accepts(int key, long floor, long stamp)
    {
        if (stamp < floor)
        {
            return false;
        }

        Saw(key, stamp);
        return true;
    }
}
