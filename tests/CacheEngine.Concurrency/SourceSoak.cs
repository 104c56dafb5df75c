using System.Diagnostics;
using CacheEngine.Checking;
using Xunit.Abstractions;

namespace CacheEngine.Concurrency;

/// <summary>Values at a source of rows that compare fences: loads and writes from four nodes, with links that fall silent and writes that stall.</summary>
public class SourceSoak(ITestOutputHelper output)
{
    private const int Nodes = 4;
    private const int ThreadsPerNode = 2;
    private const int Keys = 4;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LeaseTerm = TimeSpan.FromMilliseconds(300);

    private readonly History _history = new();
    private readonly Row[] _rows = [.. Enumerable.Range(0, Keys).Select(_ => new Row())];
    private long _writes;
    private long _lost;
    private long _refused;
    private long _raised;

    [Fact]
    [Rule("P01", "P07", "P08")]
    public async Task StalledWritesAndSilentNodes_NothingStale()
    {
        var links = new FlakyLinks();
        await using var authority = EmbeddedAuthority.Create(new() { LeaseTerm = LeaseTerm, Links = links });
        long end = Stopwatch.GetTimestamp() + (long)(Duration.TotalSeconds * Stopwatch.Frequency);
        var nodes = new List<CoherentCache<int, long>>();
        var work = new List<Task> { links.DisturbAsync(authority, new StressOptions { Nodes = Nodes, LeaseTerm = LeaseTerm }, end) };
        for (int i = 0; i < Nodes; i++)
        {
            nodes.Add(await CoherentCache.OpenAsync<int, long>(authority, "rows", new()
            {
                NodeName = $"node{i}",
                Placement = ValuePlacement.Source,
                RaiseFenceAsync = RaiseAsync,
                OperationTimeout = TimeSpan.FromSeconds(2),
                BreakTimeout = TimeSpan.FromMilliseconds(500),
            }));
        }

        for (int i = 0; i < Nodes * ThreadsPerNode; i++)
        {
            ClientLog log = _history.AddClient(Keys);
            CoherentCache<int, long> node = nodes[i % Nodes];
            var random = new Random(i);
            work.Add(Task.Factory.StartNew(() => ClientAsync(node, log, random, end), TaskCreationOptions.LongRunning).Unwrap());
        }

        await Task.WhenAll(work);
        List<Violation> violations = IntervalChecker.Check(_history.Events());
        output.WriteLine($"{_writes} writes, {_lost} lost their right, {_refused} refused by the source, {_raised} fences raised");
        Assert.True(violations.Count == 0, string.Join('\n', violations));
        Assert.True(_writes > 0 && _lost > 0 && _raised > 0, "the faults did not happen");
        foreach (CoherentCache<int, long> node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    private ValueTask RaiseAsync(int key, Fence fence, CancellationToken token)
    {
        Interlocked.Increment(ref _raised);
        _rows[key].Raise(fence);
        return default;
    }

    private async Task ClientAsync(CoherentCache<int, long> node, ClientLog log, Random random, long end)
    {
        while (Stopwatch.GetTimestamp() < end)
        {
            int key = random.Next(Keys);
            try
            {
                if (random.Next(10) == 0)
                {
                    await WriteAsync(node, log, random, key);
                }
                else
                {
                    await ReadAsync(node, log, key);
                }
            }
            catch (Exception exception) when (exception is AuthorityUnavailableException or CapabilityLostException)
            {
                // A read has no answer; a write has been written down.
            }
        }
    }

    private async Task ReadAsync(CoherentCache<int, long> node, ClientLog log, int key)
    {
        long call = Stopwatch.GetTimestamp();
        long value = await node.GetOrCreateAsync(key, _rows[key], static (_, row, _) => ValueTask.FromResult(row.Read()));
        if (value > 0)
        {
            log.Read(key, value, value, call, Stopwatch.GetTimestamp());
        }
    }

    private async Task WriteAsync(CoherentCache<int, long> node, ClientLog log, Random random, int key)
    {
        long call = Stopwatch.GetTimestamp();
        long value = 0;
        try
        {
            await using (CacheWrite<int, long> write = await node.BeginWriteAsync(key))
            {
                // Inside the source: now and then for longer than the lease.
                await Task.Delay(random.Next(8) == 0 ? (int)(2 * LeaseTerm.TotalMilliseconds) : random.Next(3));
                if (!_rows[key].TryChange(write.Fence, out value))
                {
                    Interlocked.Increment(ref _refused);
                    return;
                }

                write.Complete(value);
            }

            log.Write(key, value, value, call, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref _writes);
        }
        catch (Exception exception) when (exception is AuthorityUnavailableException or CapabilityLostException)
        {
            Interlocked.Increment(ref _lost);
            if (value > 0)
            {
                log.Write(key, value, value, call, HistoryEvent.Pending);
            }
        }
    }

    /// <summary>A row whose value counts its changes, with the fence that wrote it last.</summary>
    private sealed class Row
    {
        private readonly Lock _lock = new();
        private long _value;
        private Fence _fence;

        public long Read()
        {
            lock (_lock)
            {
                return _value;
            }
        }

        public bool TryChange(Fence fence, out long value)
        {
            lock (_lock)
            {
                bool isAccepted = _fence <= fence;
                value = isAccepted ? ++_value : 0;
                _fence = isAccepted ? fence : _fence;
                return isAccepted;
            }
        }

        public void Raise(Fence fence)
        {
            lock (_lock)
            {
                _fence = _fence < fence ? fence : _fence;
            }
        }
    }
}
