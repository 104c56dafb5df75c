using System.Diagnostics;
using CacheEngine;
using CacheEngine.Checking;

namespace Quickstart;

/// <summary>
/// A client of all nodes that revises one file after the other, on disk and through the cache, and records it.
/// </summary>
/// <remarks>
/// It reads the old revision through the cache too, until the authority has a value for the file: so nobody loads it from disk while the new
/// revision is there and not yet acknowledged. A write without an answer may have been applied or not; the next revision, through whichever
/// node, settles it.
/// </remarks>
internal sealed class Writer(Cluster cluster, WorkingCopy copy, ClientLog log, Zipf popularity, RevisionCounter revisions, int seed)
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
            SemaphoreSlim turn = copy.Files[file].WriterTurn;
            await turn.WaitAsync(CancellationToken.None);
            try
            {
                await ReviseAsync(file);
            }
            finally
            {
                turn.Release();
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task ReviseAsync(int file)
    {
        FileContent old = await ReadAsync(file);
        for (int tries = 1; !await TryReviseAsync(file, old, isLast: tries == MaxTries); tries++)
        {
            Repeated++;
        }
    }

    /// <summary>The file as the authority has it. Where it has nothing yet, the file is loaded; the value of a load may be lost on its way there.</summary>
    private async Task<FileContent> ReadAsync(int file)
    {
        string key = copy.Files[file].Key;

        // Bound: each turn but the last two, a node was killed or the authority restarted under it.
        while (true)
        {
            Node node = Choose();
            long call = Stopwatch.GetTimestamp();
            try
            {
                Lookup<FileContent> found = await node.Cache.GetAsync(key, node.Lost);
                if (found.Value is { } old)
                {
                    log.Read(file, old.Revision, found.Version, call, Stopwatch.GetTimestamp());
                    return old;
                }

                await node.Cache.GetOrCreateAsync(key, copy, static (key, copy, token) => copy.LoadAsync(key, token), cancellationToken: node.Lost);
            }
            catch (OperationCanceledException) when (node.IsLost)
            {
                // Another node knows.
            }
        }
    }

    /// <summary>Writes one revision; false if nobody knows whether it was applied.</summary>
    private async Task<bool> TryReviseAsync(int file, FileContent old, bool isLast)
    {
        Node node = Choose();
        FileContent revised = old.Revise(revisions.Next());
        long call = Stopwatch.GetTimestamp();
        await copy.ReplaceAsync(copy.Files[file], revised);
        long sent = Stopwatch.GetTimestamp();
        try
        {
            long version = await node.Cache.SetAsync(copy.Files[file].Key, revised, cancellationToken: node.Lost);
            long acknowledged = Stopwatch.GetTimestamp();
            log.Write(file, revised.Revision, version, call, acknowledged);
            _latencies.Add(Stopwatch.GetElapsedTime(sent, acknowledged));
            Volatile.Write(ref _writes, _writes + 1);
            return true;
        }
        catch (Exception exception) when (IsUnanswered(exception, node) && !isLast)
        {
            log.Write(file, revised.Revision, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
            return false;
        }
    }

    private static bool IsUnanswered(Exception exception, Node node) => exception switch
    {
        AuthorityUnavailableException unavailable => unavailable.IsOutcomeUnknown,
        OperationCanceledException => node.IsLost,
        _ => false,
    };

    private Node Choose()
    {
        IReadOnlyList<Node> live = cluster.Live;
        return live[_random.Next(live.Count)];
    }
}

/// <summary>Hands out the ids of revisions, each once. Thread-safe.</summary>
internal sealed class RevisionCounter(long last)
{
    private long _last = last;

    public long Next() => Interlocked.Increment(ref _last);
}
