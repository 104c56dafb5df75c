namespace CacheEngine.Arbitration;

/// <summary>
/// Who may hold what together, as data: the value's bits of two sessions must fit into one mode, and in the other groups a shared bit suffers
/// no other's exclusive one.
/// </summary>
/// <remarks>
/// The modes are CephFS's file-lock states: <em>sync</em> (all read and cache), <em>mix</em> (all read and write, nobody caches or buffers);
/// anything else is for a session that is alone. The lazy bit is exempt.
/// </remarks>
internal static class ConflictTable
{
    /// <summary>The bits of the value; the exclusive one is in no mode, so its holder is alone.</summary>
    public static readonly CapSet Data = CapSet.Parse("Fsxcrwba");

    /// <summary>All read and cache.</summary>
    public static readonly CapSet Sync = CapSet.Parse("Fscr");

    /// <summary>All read and write through, nobody caches or buffers.</summary>
    public static readonly CapSet Mix = CapSet.Parse("Frwa");

    private static readonly (CapSet Shared, CapSet Exclusive)[] Groups =
    [
        (CapSet.AuthShared, CapSet.AuthExcl),
        (CapSet.LinkShared, CapSet.LinkExcl),
        (CapSet.XattrShared, CapSet.XattrExcl),
    ];

    /// <summary>Whether two sessions may hold these sets at the same time.</summary>
    public static bool Compatible(CapSet left, CapSet right)
    {
        foreach ((CapSet shared, CapSet exclusive) in Groups)
        {
            CapSet group = shared | exclusive;
            if ((left.Overlaps(exclusive) && right.Overlaps(group)) || (right.Overlaps(exclusive) && left.Overlaps(group)))
            {
                return false;
            }
        }

        CapSet leftData = left & Data;
        CapSet rightData = right & Data;
        return leftData.IsEmpty
            || rightData.IsEmpty
            || Sync.Contains(leftData | rightData)
            || Mix.Contains(leftData | rightData);
    }

    /// <summary>The largest part of <paramref name="held"/> that its session may keep while another gets <paramref name="need"/>.</summary>
    /// <param name="held">What is held.</param>
    /// <param name="wanted">What its holder wants; a holder that wants to write is left in mixed mode where sync would do as well.</param>
    /// <param name="need">What the other session needs.</param>
    public static CapSet Keep(CapSet held, CapSet wanted, CapSet need)
    {
        CapSet keep = held;
        foreach ((CapSet shared, CapSet exclusive) in Groups)
        {
            if (need.Overlaps(exclusive))
            {
                keep -= shared | exclusive;
            }
            else if (need.Overlaps(shared))
            {
                keep -= exclusive;
            }
        }

        CapSet needData = need & Data;
        if (needData.IsEmpty || (keep & Data).IsEmpty)
        {
            return keep;
        }

        bool fitsSync = Sync.Contains(needData);
        bool fitsMix = Mix.Contains(needData);
        bool holderWrites = (held & wanted).Overlaps(CapSet.FileWrite);
        CapSet mode =
            fitsMix && (!fitsSync || holderWrites) ? Mix
            : fitsSync ? Sync
            : CapSet.None;
        return keep - (Data - mode);
    }
}
