using CacheEngine.Authority;

namespace CacheEngine.Embedded;

/// <summary>
/// What a crash may forget: the changes of records since the last commit, each as the record was before it. Stands for the log of an authority that makes its
/// changes durable in groups.
/// </summary>
/// <remarks>Nobody is told of a change before it is committed, so what is forgotten was never relied on. Bound: what is changed within one commit delay. For trying
/// faults out: it copies a record for every change.</remarks>
internal sealed class CommitLog
{
    private readonly Lock _lock = new();
    private readonly List<(RecordState Record, RecordState Before)> _tail = [];
    private long _appended;
    private long _committed;

    /// <summary>Every change up to this one is durable.</summary>
    public long Committed =>
        // Edge COMMIT-2 (acquire; other end: COMMIT-1): what is committed may be told.
        Volatile.Read(ref _committed);

    /// <summary>Notes a record as it is before a change. Called under the record's gate.</summary>
    /// <returns>The change's position.</returns>
    public long Append(RecordState record)
    {
        lock (_lock)
        {
            _tail.Add((record, record.Clone()));
            return ++_appended;
        }
    }

    /// <summary>Makes everything so far durable.</summary>
    public void Commit()
    {
        lock (_lock)
        {
            _tail.Clear();

            // Edge COMMIT-1 (release; other end: COMMIT-2): behind the clearing; moved up, what is told could still be cut.
            Volatile.Write(ref _committed, _appended);
        }
    }

    /// <summary>Takes the changes that are not durable, the latest first; they are to be undone, and only then does a commit follow.</summary>
    public List<(RecordState Record, RecordState Before)> Cut()
    {
        lock (_lock)
        {
            List<(RecordState Record, RecordState Before)> cut = [.. _tail];
            cut.Reverse();
            _tail.Clear();
            return cut;
        }
    }
}
