using CacheEngine.Inodes;

namespace CacheEngine.Flushing;

/// <summary>
/// Every write that was buffered and can no longer be saved, until somebody has been told: once the next flush that covers it, and every flush that was waiting for it.
/// </summary>
/// <remarks>Bound: <see cref="MaxKept"/> reports; of more, the oldest go, those that were told first.</remarks>
internal sealed class LossLedger
{
    public const int MaxKept = 65_536;

    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _entries = [];
    private long _last;

    /// <summary>How many losses have been reported so far; a flush that begins now has to tell those that come after.</summary>
    public long Mark
    {
        get
        {
            lock (_lock)
            {
                return _last;
            }
        }
    }

    public void Add(Inode inode, LossReport report)
    {
        lock (_lock)
        {
            _entries.AddLast(new Entry(++_last, inode, report));
            if (_entries.Count > MaxKept)
            {
                _entries.RemoveFirst();
            }
        }
    }

    /// <summary>What a flush is to tell its caller.</summary>
    /// <param name="inode">The object; null: all.</param>
    /// <param name="since">The mark at its beginning.</param>
    public IReadOnlyList<LossReport> Take(Inode? inode, long since)
    {
        lock (_lock)
        {
            if (_entries.Count == 0)
            {
                return [];
            }

            var told = new List<LossReport>();
            foreach (Entry entry in _entries)
            {
                if ((inode is null || ReferenceEquals(entry.Inode, inode)) && (!entry.IsTold || entry.Number > since))
                {
                    entry.IsTold = true;
                    told.Add(entry.Report);
                }
            }

            return told;
        }
    }

    private sealed class Entry(long number, Inode inode, LossReport report)
    {
        public long Number => number;

        public Inode Inode => inode;

        public LossReport Report => report;

        public bool IsTold { get; set; }
    }
}
