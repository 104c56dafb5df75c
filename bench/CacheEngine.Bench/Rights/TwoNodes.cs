namespace CacheEngine.Bench.Rights;

/// <summary>Two nodes of one region and the keys that they write and read.</summary>
internal sealed class TwoNodes : IDisposable
{
    /// <summary>How many keys take turns; a power of two.</summary>
    public const int KeyCount = 1 << 10;

    private readonly Cluster _cluster = new();
    private readonly object[] _values = [new(), new()];

    public TwoNodes()
    {
        Writer = _cluster.Open<long, object>();
        Reader = _cluster.Open<long, object>();
        for (int i = 0; i < KeyCount; i++)
        {
            Finished.Take(Writer.SetAsync(i, _values[0]));
        }
    }

    public CoherentCache<long, object> Writer { get; }

    public CoherentCache<long, object> Reader { get; }

    /// <summary>Write-through sets of keys that no other node holds.</summary>
    public int Set(int from, int rounds)
    {
        int written = 0;
        for (int i = from; i < from + rounds; i++)
        {
            written += Finished.Take(Writer.SetAsync(i & (KeyCount - 1), _values[i & 1])) > 0 ? 1 : 0;
        }

        return written;
    }

    /// <summary>The reader is granted a right, and the writer's next set of that key takes it back.</summary>
    public int GrantRevoke(int from, int rounds)
    {
        long before = Reader.Revokes;
        for (int i = from; i < from + rounds; i++)
        {
            long key = i & (KeyCount - 1);
            _ = Finished.Take(Reader.GetAsync(key));
            _ = Finished.Take(Writer.SetAsync(key, _values[i & 1]));
        }

        return (int)(Reader.Revokes - before);
    }

    public void Dispose() => _cluster.Dispose();
}
