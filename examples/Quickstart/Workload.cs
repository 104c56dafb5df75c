using System.Diagnostics;
using CacheEngine;
using CacheEngine.Checking;

namespace Quickstart;

/// <summary>
/// The nodes of one authority, with the readers and writers that use them, and the history of all they did.
/// </summary>
internal sealed class Workload : IAsyncDisposable
{
    private const int ReadersPerNode = 2;
    private const int Writers = 2;

    private readonly EmbeddedAuthority _authority;
    private readonly List<CoherentCache<string, FileContent>> _nodes;
    private readonly WorkingCopy _copy;
    private readonly Zipf _popularity;
    private readonly History _history = new();
    private readonly List<Reader> _readers = [];
    private readonly List<Writer> _writers = [];
    private int _restarts;

    private Workload(EmbeddedAuthority authority, List<CoherentCache<string, FileContent>> nodes, WorkingCopy copy)
    {
        _authority = authority;
        _nodes = nodes;
        _copy = copy;
        _popularity = new Zipf(copy.Files.Count);
        RecordFirstRevisions();
        for (int i = 0; i < nodes.Count * ReadersPerNode; i++)
        {
            _readers.Add(NewReader(nodes[i % nodes.Count], seed: i));
        }

        var revisions = new RevisionCounter(copy.Files.Max(file => file.FirstRevision));
        for (int i = 0; i < Writers; i++)
        {
            _writers.Add(new Writer(nodes, copy, NewLog(), _popularity, revisions, seed: -1 - i));
        }
    }

    public long Reads => _readers.Sum(reader => reader.Reads);

    public long Hits => _readers.Sum(reader => reader.Hits);

    public long Writes => _writers.Sum(writer => writer.Writes);

    public long Revokes => _nodes.Sum(node => node.Revokes);

    /// <summary>Opens an authority and its nodes. Values cross between them as bytes, as they would between machines.</summary>
    public static async Task<Workload> OpenAsync(WorkingCopy copy, int nodes)
    {
        var authority = EmbeddedAuthority.Create(new() { CopyValues = true });
        var opened = new List<CoherentCache<string, FileContent>>();
        for (int i = 0; i < nodes; i++)
        {
            opened.Add(await CoherentCache.OpenAsync<string, FileContent>(
                authority, region: "files", new() { NodeName = $"node{i}", Serializer = new FileContentSerializer() }));
        }

        return new Workload(authority, opened, copy);
    }

    /// <summary>Reads and writes until told to stop, and restarts the authority meanwhile if asked to.</summary>
    public Task RunAsync(TimeSpan? restartEvery, CancellationToken stop) => Task.WhenAll([
        restartEvery is { } period ? RestartAsync(period, stop) : Task.CompletedTask,
        .. _readers.Select(reader => Task.Run(() => reader.RunAsync(stop), CancellationToken.None)),
        .. _writers.Select(writer => Task.Run(() => writer.RunAsync(stop), CancellationToken.None))]);

    /// <summary>Judges a run that has ended: the whole history, and every file on every node against the disk.</summary>
    public async Task<Outcome> FinishAsync()
    {
        // Taken before the last look at every file, so that it does not count.
        (long reads, long hits, long writes, long revokes, long loads) = (Reads, Hits, Writes, Revokes, _copy.Loads);
        List<string> mismatches = await CompareWithDiskAsync();
        HitCost hitCost = HitCost.Measure(_nodes[0], [.. _copy.Files.Select(file => file.Key)], _popularity);
        long checking = Stopwatch.GetTimestamp();
        List<Violation> violations = IntervalChecker.Check(_history.Events(), limit: Outcome.MaxViolations);
        return new Outcome
        {
            Files = _copy.Files.Count,
            Nodes = _nodes.Count,
            Reads = reads,
            Hits = hits,
            Loads = loads,
            Writes = writes,
            Revokes = revokes,
            Restarts = _restarts,
            RepeatedWrites = _writers.Sum(writer => writer.Repeated),
            HitCost = hitCost,
            WriteLatencies = [.. _writers.SelectMany(writer => writer.Latencies).Order()],
            Checking = Stopwatch.GetElapsedTime(checking),
            Violations = violations,
            Mismatches = mismatches,
            RefusedMessages = _authority.RefusedMessages,
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (CoherentCache<string, FileContent> node in _nodes)
        {
            await node.DisposeAsync();
        }

        await _authority.DisposeAsync();
    }

    /// <summary>Does to the nodes what a crash of a remote authority would: sessions are cut off, answers on their way are lost.</summary>
    private async Task RestartAsync(TimeSpan period, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(period);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                _authority.Restart();
                _restarts++;
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private ClientLog NewLog() => _history.AddClient(_copy.Files.Count);

    private Reader NewReader(CoherentCache<string, FileContent> node, int seed) => new(node, _copy, NewLog(), _popularity, seed);

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
        foreach ((int index, CoherentCache<string, FileContent> node) in _nodes.Index())
        {
            Reader reader = NewReader(node, seed: 0);
            foreach ((int i, CopiedFile file) in _copy.Files.Index())
            {
                FileContent served = await reader.ReadAsync(i);
                byte[] onDisk = await File.ReadAllBytesAsync(file.Path);
                if (!served.Bytes.Span.SequenceEqual(onDisk))
                {
                    mismatches.Add($"{file.Key}: node {index} serves revision {served.Revision}, and the disk holds other bytes");
                }
                else if (!file.HasBodyOf(served))
                {
                    mismatches.Add($"{file.Key}: revision {served.Revision} has lost what was copied, on disk and on node {index}");
                }
            }
        }

        return mismatches;
    }
}
