using System.Collections.Concurrent;
using System.Diagnostics;
using CacheEngine.Checking;

namespace Quickstart;

/// <summary>
/// The nodes of one authority, with the readers and writers that use them, and the history of all they did.
/// </summary>
internal sealed class Workload : IAsyncDisposable
{
    private const int ReadersPerNode = 2;
    private const int Writers = 2;

    // What a dead node holds waits for its lease: where nodes are killed, it is short enough that writers get on.
    private static TimeSpan LeaseTerm { get; } = TimeSpan.FromSeconds(5);
    private static TimeSpan LeaseTermWithKills { get; } = TimeSpan.FromMilliseconds(500);

    private readonly Arguments _arguments;
    private readonly Cluster _cluster;
    private readonly WorkingCopy _copy;
    private readonly Zipf _popularity;
    private readonly TimeSpan _leaseTerm;
    private readonly History _history = new();
    private readonly ConcurrentQueue<Reader> _readers = new();
    private readonly List<Writer> _writers = [];

    private Workload(Arguments arguments, Cluster cluster, WorkingCopy copy, TimeSpan leaseTerm)
    {
        _arguments = arguments;
        _cluster = cluster;
        _copy = copy;
        _leaseTerm = leaseTerm;
        _popularity = new Zipf(copy.Files.Count);
        RecordFirstRevisions();
        var revisions = new RevisionCounter(copy.Files.Max(file => file.FirstRevision));
        for (int i = 0; i < Writers; i++)
        {
            _writers.Add(new Writer(cluster, copy, NewLog(), _popularity, revisions, seed: -1 - i));
        }
    }

    public long Reads => _readers.Sum(reader => reader.Reads);

    public long Hits => _readers.Sum(reader => reader.Hits);

    public long Writes => _writers.Sum(writer => writer.Writes);

    public long Revokes => _cluster.Revokes;

    /// <summary>Opens the authority and its nodes.</summary>
    public static async Task<Workload> OpenAsync(WorkingCopy copy, Arguments arguments)
    {
        TimeSpan leaseTerm = arguments.KillEvery is null ? LeaseTerm : LeaseTermWithKills;
        return new Workload(arguments, await Cluster.OpenAsync(arguments.Nodes, leaseTerm), copy, leaseTerm);
    }

    /// <summary>Reads and writes until told to stop, and meanwhile restarts the authority and kills nodes if asked to.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var reading = new ConcurrentQueue<Task>();
        void Read(Node node)
        {
            for (int i = 0; i < ReadersPerNode; i++)
            {
                Reader reader = NewReader(node, seed: _readers.Count);
                _readers.Enqueue(reader);

                // Twice the lease: beyond its end nothing may be served.
                reading.Enqueue(Task.Run(() => reader.RunAsync(afterlife: 2 * _leaseTerm, stop), CancellationToken.None));
            }
        }

        foreach (Node node in _cluster.Live)
        {
            Read(node);
        }

        await Task.WhenAll([
            RepeatAsync(_arguments.RestartEvery, _cluster.RestartAuthorityAsync, stop),
            RepeatAsync(_arguments.KillEvery, () => _cluster.KillOneAsync(Read), stop),
            .. _writers.Select(writer => Task.Run(() => writer.RunAsync(stop), CancellationToken.None))]);
        await Task.WhenAll(reading);
    }

    /// <summary>Judges a run that has ended: the whole history, and every file on every node against the disk.</summary>
    public async Task<Outcome> FinishAsync()
    {
        // Taken before the last look at every file, so that it does not count.
        (long reads, long hits, long writes, long revokes, long loads) = (Reads, Hits, Writes, Revokes, _copy.Loads);
        List<string> mismatches = await CompareWithDiskAsync();
        HitCost hitCost = HitCost.Measure(_cluster.Live[0].Cache, [.. _copy.Files.Select(file => file.Key)], _popularity);
        long checking = Stopwatch.GetTimestamp();
        List<Violation> violations = IntervalChecker.Check(_history.Events(), limit: Outcome.MaxViolations);
        return new Outcome
        {
            Files = _copy.Files.Count,
            Nodes = _cluster.Live.Count,
            Reads = reads,
            Hits = hits,
            Loads = loads,
            Writes = writes,
            Revokes = revokes,
            Restarts = _cluster.Restarts,
            Killed = _cluster.Killed,
            HitsOfTheDead = _readers.Sum(reader => reader.HitsOfTheDead),
            LeaseTerm = _leaseTerm,
            RepeatedWrites = _writers.Sum(writer => writer.Repeated),
            HitCost = hitCost,
            WriteLatencies = [.. _writers.SelectMany(writer => writer.Latencies).Order()],
            Checking = Stopwatch.GetElapsedTime(checking),
            Violations = violations,
            Mismatches = mismatches,
            RefusedMessages = _cluster.RefusedMessages,
        };
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private static async Task RepeatAsync(TimeSpan? every, Func<Task> act, CancellationToken stop)
    {
        if (every is not { } period)
        {
            return;
        }

        using var timer = new PeriodicTimer(period);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                await act();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private ClientLog NewLog() => _history.AddClient(_copy.Files.Count);

    private Reader NewReader(Node node, int seed) => new(node, _copy, NewLog(), _popularity, seed);

    /// <summary>The revisions that were there before anybody read: the checker takes a value that nobody made for an error.</summary>
    private void RecordFirstRevisions()
    {
        ClientLog log = NewLog();
        long now = Stopwatch.GetTimestamp();
        for (int i = 0; i < _copy.Files.Count; i++)
        {
            log.Load(i, _copy.Files[i].FirstRevision, now, now);
        }
    }

    private async Task<List<string>> CompareWithDiskAsync()
    {
        var mismatches = new List<string>();
        foreach (Node node in _cluster.Live)
        {
            Reader reader = NewReader(node, seed: 0);
            foreach ((int i, CopiedFile file) in _copy.Files.Index())
            {
                FileContent served = await reader.ReadAsync(i);
                byte[] onDisk = await File.ReadAllBytesAsync(file.Path);
                if (!served.Bytes.Span.SequenceEqual(onDisk))
                {
                    mismatches.Add($"{file.Key}: {node.Name} serves revision {served.Revision}, and the disk holds other bytes");
                }
                else if (!file.HasBodyOf(served))
                {
                    mismatches.Add($"{file.Key}: revision {served.Revision} has lost what was copied, on disk and on {node.Name}");
                }
            }
        }

        return mismatches;
    }
}
