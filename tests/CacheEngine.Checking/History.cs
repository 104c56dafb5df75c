namespace CacheEngine.Checking;

/// <summary>
/// The record of a run: one log a client, no sharing while it runs.
/// </summary>
public sealed class History
{
    private readonly List<ClientLog> _logs = [];
    private readonly Lock _lock = new();

    /// <summary>The log of one more client. Each log belongs to one thread or task at a time.</summary>
    public ClientLog AddClient(int keys)
    {
        lock (_lock)
        {
            var log = new ClientLog(_logs.Count, keys);
            _logs.Add(log);
            return log;
        }
    }

    /// <summary>Everything that was recorded; call it when the run is over.</summary>
    public List<HistoryEvent> Events()
    {
        lock (_lock)
        {
            return [.. _logs.SelectMany(log => log.Finish())];
        }
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

    internal ClientLog(int client, int keys)
    {
        _client = client;
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

        run = new HistoryEvent(EventKind.Read, key, value, version, call, @return, _client);
    }

    public void Write(int key, long value, long version, long call, long @return) =>
        _events.Add(new HistoryEvent(EventKind.Write, key, value, version, call, @return, _client));

    /// <summary>A value was replaced by what was made of another, with nothing in between.</summary>
    public void Update(int key, long value, long version, long basedOn, long call, long @return) =>
        _events.Add(new HistoryEvent(EventKind.Write, key, value, version, call, @return, _client) { Base = basedOn });

    /// <summary>A factory ran from <paramref name="start"/> to <paramref name="end"/> and made this value.</summary>
    public void Load(int key, long value, long start, long end) =>
        _events.Add(new HistoryEvent(EventKind.Load, key, value, HistoryEvent.Unversioned, start, end, _client));

    internal IEnumerable<HistoryEvent> Finish() => [.. _events, .. _runs.Where(run => run.Return != 0)];
}
