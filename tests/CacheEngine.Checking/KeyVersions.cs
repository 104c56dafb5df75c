namespace CacheEngine.Checking;

/// <summary>
/// Which versions each value of one key has: the one of its write, and one more for each time that it was restored.
/// </summary>
internal sealed class KeyVersions
{
    private readonly Dictionary<long, long> _originals = [];
    private readonly Dictionary<long, List<HistoryEvent>> _restores = [];
    private readonly Dictionary<long, (long Value, HistoryEvent Source)> _values = [];
    private readonly HashSet<long> _restored;
    private readonly int _key;
    private readonly List<Violation> _violations;

    /// <summary>Collects what the events tell, and adds to <paramref name="violations"/> where they differ.</summary>
    public KeyVersions(int key, List<HistoryEvent> events, List<Violation> violations)
    {
        _key = key;
        _violations = violations;
        HistoryEvent[] restores = [.. events.Where(e => e.Kind == EventKind.Restore).OrderBy(e => e.Version)];
        _restored = [.. restores.Select(e => e.Version)];
        foreach (HistoryEvent e in events.Where(e => e.Version != HistoryEvent.Unversioned))
        {
            Tell(e.Version, e, isOriginal: e.Kind == EventKind.Write || !_restored.Contains(e.Version));
        }

        foreach (HistoryEvent restore in restores)
        {
            TellRestored(restore);
        }

        Told = [.. _values.Keys.Order()];
    }

    /// <summary>Every version that anybody was told, in order.</summary>
    public long[] Told { get; }

    /// <summary>Whether anybody was told a version of the value; who tells of a restore tells the one before it as well.</summary>
    public bool Knows(long value) => _originals.ContainsKey(value);

    public bool Has(long value, long version) => Of(value).Contains(version);

    /// <summary>The versions of a known value, in order.</summary>
    public IEnumerable<long> Of(long value) => Restores(value).Select(e => e.Version).Prepend(_originals[value]);

    /// <summary>The version of a value that has one only.</summary>
    public bool TryGetOnly(long value, out long version) => _originals.TryGetValue(value, out version) && !_restores.ContainsKey(value);

    /// <summary>
    /// The first version of a known value, of those that it may have had before <paramref name="end"/>, that is not older than
    /// <paramref name="floor"/>; if there is none, the newest.
    /// </summary>
    public long AtLeast(long value, long floor, long end)
    {
        long version = _originals[value];
        foreach (HistoryEvent restore in Restores(value))
        {
            version = version < floor && restore.Call <= end ? restore.Version : version;
        }

        return version;
    }

    private IReadOnlyList<HistoryEvent> Restores(long value) => _restores.TryGetValue(value, out List<HistoryEvent>? restores) ? restores : [];

    /// <summary>A restore tells two versions of its value: the new one, and the one that was kept.</summary>
    private void TellRestored(HistoryEvent restore)
    {
        if (restore.LostAfter != HistoryEvent.Unversioned)
        {
            Tell(restore.LostAfter, restore, isOriginal: !_restored.Contains(restore.LostAfter));
        }
        else if (restore.Value != HistoryEvent.Absent)
        {
            _violations.Add(new Violation("split version", _key, $"nothing was kept, and yet there was a value for {restore}"));
        }

        if (restore.Value == HistoryEvent.Absent)
        {
            return;
        }

        if (!_restores.TryGetValue(restore.Value, out List<HistoryEvent>? restores))
        {
            _restores.Add(restore.Value, restores = []);
        }

        restores.Add(restore);
    }

    private void Tell(long version, HistoryEvent source, bool isOriginal)
    {
        if (_values.TryGetValue(version, out (long Value, HistoryEvent Source) other) && other.Value != source.Value)
        {
            _violations.Add(new Violation("split version", _key, $"version {version} is told by {other.Source} and {source}"));
        }

        _values[version] = (source.Value, source);
        if (source.Value == HistoryEvent.Absent || !isOriginal)
        {
            return;
        }

        if (_originals.TryGetValue(source.Value, out long known) && known != version)
        {
            _violations.Add(new Violation("split version", _key, $"value {source.Value} has versions {known} and {version}"));
        }

        _originals[source.Value] = version;
    }
}
