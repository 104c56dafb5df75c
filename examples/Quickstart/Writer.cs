using System.Diagnostics;
using CacheEngine;
using CacheEngine.Checking;

namespace Quickstart;

/// <summary>
/// A client of all nodes that revises one file after the other, on disk and through the cache, and records it.
/// </summary>
/// <remarks>
/// It reads the old revision through the cache too. From then on the authority has a value for the file, so nobody loads it from disk while the
/// new revision is there and not yet acknowledged. A write without an answer may have been applied or not; the next revision settles it.
/// </remarks>
internal sealed class Writer(
    IReadOnlyList<CoherentCache<string, FileContent>> nodes, WorkingCopy copy, ClientLog log, Zipf popularity, RevisionCounter revisions, int seed)
{
    /// <summary>How many revisions in a row may go without an answer before the run is given up.</summary>
    private const int MaxTries = 20;

    private static TimeSpan Pause { get; } = TimeSpan.FromMilliseconds(1);

    private readonly Random _random = new(seed);
    private readonly List<TimeSpan> _latencies = [];
    private long _writes;

    public long Writes => Volatile.Read(ref _writes);

    /// <summary>Writes that got no answer.</summary>
    public long Repeated { get; private set; }

    /// <summary>How long each write through the cache took to be acknowledged; read it when the run is over.</summary>
    public IReadOnlyList<TimeSpan> Latencies => _latencies;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            int file = popularity.Next(_random);
            CoherentCache<string, FileContent> cache = nodes[_random.Next(nodes.Count)];
            SemaphoreSlim turn = copy.Files[file].WriterTurn;
            await turn.WaitAsync(CancellationToken.None);
            try
            {
                await ReviseAsync(cache, file);
            }
            finally
            {
                turn.Release();
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task ReviseAsync(CoherentCache<string, FileContent> cache, int file)
    {
        string key = copy.Files[file].Key;
        long call = Stopwatch.GetTimestamp();
        FileContent old = await cache.GetOrCreateAsync(key, copy, static (key, copy, token) => copy.LoadAsync(key, token));
        log.Read(file, old.Revision, HistoryEvent.Unversioned, call, Stopwatch.GetTimestamp());

        for (int tries = 1; !await TryReviseAsync(cache, file, old, isLast: tries == MaxTries); tries++)
        {
            Repeated++;
        }
    }

    /// <summary>Writes one revision; false if nobody knows whether it was applied.</summary>
    private async Task<bool> TryReviseAsync(CoherentCache<string, FileContent> cache, int file, FileContent old, bool isLast)
    {
        FileContent revised = old.Revise(revisions.Next());
        long call = Stopwatch.GetTimestamp();
        await copy.ReplaceAsync(copy.Files[file], revised);
        long sent = Stopwatch.GetTimestamp();
        try
        {
            long version = await cache.SetAsync(copy.Files[file].Key, revised);
            long acknowledged = Stopwatch.GetTimestamp();
            log.Write(file, revised.Revision, version, call, acknowledged);
            _latencies.Add(Stopwatch.GetElapsedTime(sent, acknowledged));
            Volatile.Write(ref _writes, _writes + 1);
            return true;
        }
        catch (AuthorityUnavailableException exception) when (exception.IsOutcomeUnknown && !isLast)
        {
            log.Write(file, revised.Revision, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
            return false;
        }
    }
}

/// <summary>Hands out the ids of revisions, each once. Thread-safe.</summary>
internal sealed class RevisionCounter(long last)
{
    private long _last = last;

    public long Next() => Interlocked.Increment(ref _last);
}
