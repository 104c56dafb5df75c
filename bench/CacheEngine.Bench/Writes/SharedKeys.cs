using System.Diagnostics;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

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

    /// <summary>A write that is kept back, the key being held alone.</summary>
    public void Back(long key) => _versions[key] = Finished.Take(_writer.SetAsync(key, Next(), mode: WriteMode.Back));

    /// <summary>A write that is kept back, and its flush: sealed, sent, applied, acknowledged.</summary>
    public void BackAndFlush(long key)
    {
        Back(key);
        ValueTask flush = _writer.FlushAsync(key);
        if (!flush.IsCompleted)
        {
            throw new InvalidOperationException("The flush is not over.");
        }

        flush.GetAwaiter().GetResult();
    }

    /// <summary>Seals a record for every key, as if to send it, and then times taking in their acknowledgements, one after the other.</summary>
    /// <returns>Nanoseconds per acknowledgement, message handling apart; and per empty pass through the same gates, in the same order.</returns>
    public (double Acknowledgement, double Gate) Acknowledge()
    {
        var inodes = new Inode[_versions.Length];
        var tids = new FlushTid[_versions.Length];
        for (int key = 0; key < _versions.Length; key++)
        {
            Back(key);
            inodes[key] = _writer.Resolve(key);
            using Inode.Hold hold = inodes[key].Enter();
            tids[key] = hold.Seal(isUrgent: false)?.Tid ?? throw new InvalidOperationException("The key is not dirty.");
        }

        OperationDesk desk = _writer.Engine.Desk;
        var message = new AuthorityMessage { Kind = AuthorityMessageKind.Flushed, IsDurable = true };
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < inodes.Length; i++)
        {
            var done = default(OperationList);
            message.Tid = tids[i];
            using (Inode.Hold hold = inodes[i].Enter())
            {
                hold.ApplyFlushed(message, ref done);
            }

            desk.CompleteAll(ref done);
        }

        long between = Stopwatch.GetTimestamp();
        foreach (Inode inode in inodes)
        {
            using Inode.Hold hold = inode.Enter();
        }

        long end = Stopwatch.GetTimestamp();
        double each = 1e9 / Stopwatch.Frequency / inodes.Length;
        return ((between - start) * each, (end - between) * each);
    }

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
