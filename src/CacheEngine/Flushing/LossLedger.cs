using CacheEngine.Inodes;

namespace CacheEngine.Flushing;

/// <summary>
/// Every write that was buffered and can no longer be saved, until somebody has been told: once the next flush that covers it, and every flush that was waiting for it.
/// </summary>
/// <remarks>Bound: <see cref="MaxKept"/> reports; of more, the oldest go. They were told to the event all the same.</remarks>
internal sealed class LossLedger
{
    public const int MaxKept = 65_536;

    /// <summary>How many reports that were told are kept, for flushes that were waiting already.</summary>
    private const int MaxTold = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Entry> _entries = new();
    private long _last;
    private int _untold;

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
            _entries.Enqueue(new Entry(++_last, inode, report));
            _untold++;
            while (_entries.Count > MaxKept || (_entries.Count > MaxTold && _entries.Peek().IsTold))
            {
                _untold -= _entries.Dequeue().IsTold ? 0 : 1;
            }
        }
    }

    /// <summary>What a flush is to tell its caller. Costs nothing as long as nothing is lost.</summary>
    /// <param name="inode">The object; null: all.</param>
    /// <param name="since">The mark at its beginning.</param>
    public IReadOnlyList<LossReport> Take(Inode? inode, long since)
    {
        lock (_lock)
        {
            if (_untold == 0 && _last == since)
            {
                return [];
            }

            var told = new List<LossReport>();
            foreach (Entry entry in _entries)
            {
                if ((inode is null || ReferenceEquals(entry.Inode, inode)) && (!entry.IsTold || entry.Number > since))
                {
                    _untold -= entry.IsTold ? 0 : 1;
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
