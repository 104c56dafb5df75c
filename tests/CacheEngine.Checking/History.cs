namespace CacheEngine.Checking;

/// <summary>
/// The record of a run: one log a client, no sharing while it runs.
/// </summary>
public sealed class History
{
    private readonly List<ClientLog> _logs = [];
    private readonly List<HistoryEvent> _restores = [];
    private readonly Lock _lock = new();

    /// <summary>The log of one more client, which is a node of its own. Each log belongs to one thread or task at a time.</summary>
    public ClientLog AddClient(int keys)
    {
        lock (_lock)
        {
            return Add(keys, _logs.Count);
        }
    }

    /// <summary>The log of one more client of a node. A run that numbers its nodes does so for all its clients.</summary>
    public ClientLog AddClient(int keys, int node)
    {
        lock (_lock)
        {
            return Add(keys, node);
        }
    }

    /// <summary>
    /// The authority undid all writes of a key after <paramref name="lostAfter"/>, and gave the value of that version a new one. Whoever injects the
    /// fault, or watches the authority, records it, at any time and on any thread.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value that was restored, or <see cref="HistoryEvent.Absent"/>.</param>
    /// <param name="version">Its new version.</param>
    /// <param name="lostAfter">The version under which the authority had it, be it of a write or of an earlier restore.</param>
    /// <param name="call">A moment before it took effect.</param>
    /// <param name="return">A moment after; <see cref="HistoryEvent.Pending"/> if nobody knows one.</param>
    public void Restored(int key, long value, long version, long lostAfter, long call, long @return)
    {
        lock (_lock)
        {
            _restores.Add(new HistoryEvent(EventKind.Restore, key, value, version, call, @return, HistoryEvent.Nobody) { LostAfter = lostAfter });
        }
    }

    /// <summary>Everything that was recorded; call it when the run is over.</summary>
    public List<HistoryEvent> Events()
    {
        lock (_lock)
        {
            return [.. _logs.SelectMany(log => log.Finish()), .. _restores];
        }
    }

    private ClientLog Add(int keys, int node)
    {
        var log = new ClientLog(_logs.Count, node, keys);
        _logs.Add(log);
        return log;
    }
}

/// <summary>
/// What one client did. Reads of one key that see the same version in a row are kept as one event: the latest call is what may make it stale, the
/// earliest return is what others are measured by, so nothing is lost for the check.
/// </summary>
public sealed class ClientLog
{
    private readonly List<HistoryEvent> _events = [];
    private readonly HistoryEvent[] _runs;
    private readonly int _client;
    private readonly int _node;

    internal ClientLog(int client, int node, int keys)
    {
        _client = client;
        _node = node;
        _runs = new HistoryEvent[keys];
    }

    /// <summary>How many reads were recorded, merged or not.</summary>
    public long Reads { get; private set; }

    public void Read(int key, long value, long version, long call, long @return)
    {
        Reads++;
        ref HistoryEvent run = ref _runs[key];
        if (run.Return != 0 && run.Version == version && run.Value == value && version != HistoryEvent.Unversioned)
        {
            run = run with { Call = call };
            return;
        }

        if (run.Return != 0)
        {
            _events.Add(run);
        }

        run = Event(EventKind.Read, key, value, version, call, @return);
    }

    /// <summary>A value was written through: from its acknowledgement on nothing undoes it.</summary>
    public void Write(int key, long value, long version, long call, long @return) =>
        _events.Add(Event(EventKind.Write, key, value, version, call, @return));

    /// <summary>A value was replaced by what was made of another, with nothing in between, and written through.</summary>
    public void Update(int key, long value, long version, long basedOn, long call, long @return) =>
        _events.Add(Event(EventKind.Write, key, value, version, call, @return) with { Base = basedOn });

    /// <summary>
    /// A value was written into the buffer of the node, and acknowledged there: until a <see cref="Flushed"/> covers it, the node's death may undo it.
    /// </summary>
    public void Buffer(int key, long value, long version, long call, long @return, long? basedOn = null) => _events.Add(
        Event(EventKind.Write, key, value, version, call, @return) with { Base = basedOn, DurableAt = HistoryEvent.Pending });

    /// <summary>The authority acknowledged that it has everything of the key up to a version, which must be one that was not undone.</summary>
    public void Flushed(int key, long version, long call, long @return) =>
        _events.Add(Event(EventKind.Flush, key, HistoryEvent.Absent, version, call, @return));

    /// <summary>A factory ran from <paramref name="start"/> to <paramref name="end"/> and made this value.</summary>
    public void Load(int key, long value, long start, long end) =>
        _events.Add(Event(EventKind.Load, key, value, HistoryEvent.Unversioned, start, end));

    internal IEnumerable<HistoryEvent> Finish() => [.. _events, .. _runs.Where(run => run.Return != 0)];

    private HistoryEvent Event(EventKind kind, int key, long value, long version, long call, long @return) =>
        new(kind, key, value, version, call, @return, _client) { Node = _node };
}
