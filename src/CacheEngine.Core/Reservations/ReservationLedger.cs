using System.Diagnostics;

namespace CacheEngine.Reservations;

/// <summary>
/// The accounts of a pool of preallocated cap objects: total = used + reserved + available, after every entry.
/// </summary>
/// <remarks>
/// <em>used</em> are handed out, <em>reserved</em> are free but promised to one reservation, <em>available</em> are free and unpromised.
/// The idea is CephFS's: a message must never fail for lack of a cap object, so what it may need is set aside before it is asked for.
/// A violated contract throws and leaves the accounts as they were.
/// </remarks>
internal struct ReservationLedger
{
    public int Total { get; private set; }

    public int Used { get; private set; }

    public int Reserved { get; private set; }

    public int Available { get; private set; }

    /// <summary>How many objects beside the available ones a reservation of <paramref name="need"/> would take.</summary>
    public readonly int Missing(int need)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(need);
        return Math.Max(0, need - Available);
    }

    /// <summary>Promises <paramref name="need"/> objects, of which <paramref name="fresh"/> have just been allocated.</summary>
    public void Reserve(int need, int fresh)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(need);
        ArgumentOutOfRangeException.ThrowIfNegative(fresh);
        Require(need - fresh <= Available && fresh <= need, "A reservation draws on available and fresh objects only.");
        Available -= need - fresh;
        Total += fresh;
        Reserved += need;
        AssertConserved();
    }

    /// <summary>Takes back a promise that was not drawn.</summary>
    public void Unreserve(int count)
    {
        Require(count >= 0 && count <= Reserved, "More is given back than is reserved.");
        Reserved -= count;
        Available += count;
        AssertConserved();
    }

    /// <summary>Hands out one promised object.</summary>
    public void Take()
    {
        Require(Reserved > 0, "Nothing is reserved.");
        Reserved--;
        Used++;
        AssertConserved();
    }

    /// <summary>Takes an object back.</summary>
    /// <returns>Whether it joins the free objects; false: the pool has spares enough and it is to be dropped.</returns>
    public bool Put(int maxSpares)
    {
        Require(Used > 0, "Nothing is handed out.");
        Used--;
        bool keep = Available < (long)Reserved + maxSpares;
        if (keep)
        {
            Available++;
        }
        else
        {
            Total--;
        }

        AssertConserved();
        return keep;
    }

    /// <summary>Gives up one unpromised object; false when there is none.</summary>
    public bool TryDrop()
    {
        if (Available == 0)
        {
            return false;
        }

        Available--;
        Total--;
        AssertConserved();
        return true;
    }

    [Conditional("DEBUG")]
    public readonly void AssertConserved() =>
        Require(
            Total == Used + Reserved + Available && Used >= 0 && Reserved >= 0 && Available >= 0,
            "The pool's accounts do not add up.");

    private readonly void Require(bool condition, string rule)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"{rule} (total {Total}, used {Used}, reserved {Reserved}, available {Available})");
        }
    }
}
