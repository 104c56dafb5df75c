namespace CacheEngine.Bench.Writes;

/// <summary>A node that changes some keys, and nodes that share them.</summary>
internal sealed class SharedKeys : IDisposable
{
    private readonly Cluster _cluster = new();
    private readonly CoherentCache<long, object> _writer;
    private readonly CoherentCache<long, object>[] _sharers;
    private readonly object[] _values = [new(), new()];
    private readonly long[] _versions;
    private int _changes;

    public SharedKeys(int sharers, int keys)
    {
        _writer = _cluster.Open<long, object>();
        _sharers = [.. Enumerable.Range(0, sharers).Select(_ => _cluster.Open<long, object>())];
        _versions = new long[keys];
        for (int key = 0; key < keys; key++)
        {
            Set(key);
        }
    }

    /// <summary>Every sharer gets the right to serve a key.</summary>
    public void Share(long key)
    {
        foreach (CoherentCache<long, object> sharer in _sharers)
        {
            _ = Finished.Take(sharer.GetAsync(key));
        }
    }

    public void Set(long key) => _versions[key] = Finished.Take(_writer.SetAsync(key, Next()));

    public void Update(long key) =>
        _versions[key] = Finished.Take(_writer.UpdateAsync(key, Next(), static (_, value) => value)).Version;

    public void TryUpdate(long key)
    {
        UpdateResult result = Finished.Take(_writer.TryUpdateAsync(key, _versions[key], Next()));
        _versions[key] = result.IsUpdated ? result.Version : throw new InvalidOperationException("Somebody else has written.");
    }

    public void Dispose() => _cluster.Dispose();

    private object Next() => _values[_changes++ & 1];
}
