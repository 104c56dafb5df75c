using System.Diagnostics;
using CacheEngine.PostgreSql.Link;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>
/// One process of the stress: several nodes and clients that read, write, remove and load the same keys as the other processes, everything recorded.
/// </summary>
internal sealed class StressChild(ChildOptions options)
{
    private const int Nodes = 3;
    private const int ClientsPerNode = 3;

    /// <summary>The first keys are asked for all the time; the others now and then, so that what is buffered there stays so for a while.</summary>
    private const int BusyKeys = 12;
    private const int Keys = 18;
    private const int WritesPerBurst = 5;

    public const string Region = "stress";

    public static readonly PostgreSqlAuthorityOptions Options = new() { LeaseTerm = TimeSpan.FromSeconds(2) };

    private readonly History _history = new();
    private readonly List<ClientLog> _logs = [];
    private readonly ChildReport _report = new();
    private readonly Lock _lock = new();
    private long _lastValue;
    private long _hits;
    private long _writes;
    private long _buffered;
    private long _flushes;
    private long _loads;
    private long _unavailable;

    public static async Task<int> RunAsync(ChildOptions options)
    {
        await new StressChild(options).RunAsync();
        return 0;
    }

    private async Task RunAsync()
    {
        await using PostgreSqlAuthority authority =
            await PostgreSqlAuthority.ConnectAsync(options.ConnectionString, Options with { DoorbellLoss = options.Loss });
        var nodes = new List<CoherentCache<int, long>>();
        var clients = new List<Task>();
        for (int i = 0; i < Nodes; i++)
        {
            CoherentCache<int, long> node = await CoherentCache.OpenAsync<int, long>(
                authority, Region, new() { NodeName = $"process {options.Index} node {i}", Serializer = new StampSerializer() });
            int number = NodeNumber(i);
            Action<LossReport>? announce = node.Engine.WriteBack.Lost;
            node.Engine.WriteBack.Lost = report =>
            {
                NoteLoss(number, report);
                announce?.Invoke(report);
            };
            nodes.Add(node);
        }

        CoherentCache<string, long> counter = await CoherentCache.OpenAsync<string, long>(
            authority, "counter", new() { NodeName = $"process {options.Index}", Serializer = new StampSerializer() });
        for (int i = 0; i < Nodes * ClientsPerNode; i++)
        {
            ClientLog log = _history.AddClient(Keys, NodeNumber(i % Nodes));
            _logs.Add(log);
            CoherentCache<int, long> node = nodes[i % Nodes];
            var random = new Random((options.Index * 1000) + i);
            int turn = i / Nodes;
            clients.Add(Task.Run(() => ClientAsync(node, log, random, turn)));
        }

        clients.Add(Task.Run(() => CountAsync(counter)));
        await Task.WhenAll(clients);
        await ReadCounterAsync(counter);
        foreach (CoherentCache<int, long> node in nodes)
        {
            await node.DisposeAsync();
        }

        await counter.DisposeAsync();
        Fill(authority, nodes);
        _report.Save(options.Output);
        if (authority.LastFailure is { } failure)
        {
            await Console.Out.WriteLineAsync($"process {options.Index}: the last of {authority.Failures} failures: {failure.GetType().Name}: {failure.Message}");
        }
    }

    private void Fill(PostgreSqlAuthority authority, List<CoherentCache<int, long>> nodes)
    {
        _report.History.AddRange(_history.Events().Select(e => e with { Client = e.Client + (options.Index * 100) }));
        _report.Reads = _logs.Sum(static log => log.Reads);
        _report.Hits = _hits;
        _report.Writes = _writes;
        _report.Buffered = _buffered;
        _report.Flushes = _flushes;
        _report.Loads = _loads;
        _report.Unavailable = _unavailable;
        _report.Refused = authority.RefusedMessages;
        _report.Failures = authority.Failures;
        _report.RoundTrips = authority.Store.Database.RoundTrips;
        _report.Questions = nodes.Sum(static node => node.Questions);
        _report.Revokes = nodes.Sum(static node => node.Revokes);
    }

    private bool IsTime => Stopwatch.GetTimestamp() < options.Until;

    private async Task ClientAsync(CoherentCache<int, long> node, ClientLog log, Random random, int turn)
    {
        while (IsTime)
        {
            try
            {
                await StepAsync(node, log, random, turn);
            }
            catch (Exception exception) when (exception is AuthorityUnavailableException or CapabilityLostException)
            {
                // A read without an answer says nothing.
                Interlocked.Increment(ref _unavailable);
            }
        }
    }

    private async Task StepAsync(CoherentCache<int, long> node, ClientLog log, Random random, int turn)
    {
        int key = random.Next(12) > 0 ? random.Next(BusyKeys) : random.Next(BusyKeys, Keys);
        switch (random.Next(100))
        {
            case < 60:
                for (int i = 0; i < 20; i++)
                {
                    TryGet(node, log, random.Next(Keys));
                }

                await Task.Yield();
                break;
            case < 78:
                long call = Stopwatch.GetTimestamp();
                Lookup<long> found = await node.GetAsync(key);
                log.Read(key, found.IsHit ? found.Value : HistoryEvent.Absent, found.Version, call, Stopwatch.GetTimestamp());
                break;
            case < 90:
                await LoadAsync(node, log, key);
                break;
            case < 93:
                long value = NextValue();
                await WriteAsync(log, key, value, () => node.SetAsync(key, value));
                break;
            case < 97:
                // Of each node's clients one writes a key back and flushes it: so what was lost is told to whoever wrote it.
                await WriteBackAsync(node, log, random, key - (key % ClientsPerNode) + turn);
                break;
            default:
                await WriteAsync(log, key, HistoryEvent.Absent, () => node.RemoveAsync(key));
                break;
        }
    }

    /// <summary>Unique over all processes, as clients and values are.</summary>
    private int NodeNumber(int node) => (options.Index * 100) + node;

    /// <summary>Unique over all processes.</summary>
    private long NextValue() => (Interlocked.Increment(ref _lastValue) * options.Processes) + options.Index;

    private void TryGet(CoherentCache<int, long> node, ClientLog log, int key)
    {
        long call = Stopwatch.GetTimestamp();
        if (node.TryGet(key, out long value, out long version))
        {
            log.Read(key, value, version, call, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref _hits);
        }
    }

    private async Task LoadAsync(CoherentCache<int, long> node, ClientLog log, int key)
    {
        long call = Stopwatch.GetTimestamp();
        long value = await node.GetOrCreateAsync(
            key,
            (Child: this, Log: log),
            static async (key, state, token) =>
            {
                long start = Stopwatch.GetTimestamp();
                long value = state.Child.NextValue();
                if (value % 4 == 0)
                {
                    await Task.Delay(1, token);
                }

                Interlocked.Increment(ref state.Child._loads);
                lock (state.Log)
                {
                    state.Log.Load(key, value, start, Stopwatch.GetTimestamp());
                }

                return value;
            });
        lock (log)
        {
            log.Read(key, value, HistoryEvent.Unversioned, call, Stopwatch.GetTimestamp());
        }
    }

    /// <returns>The version, if it was acknowledged.</returns>
    private async Task<long?> WriteAsync(ClientLog log, int key, long value, Func<ValueTask<long>> write)
    {
        long call = Stopwatch.GetTimestamp();
        try
        {
            long version = await write();
            long end = Stopwatch.GetTimestamp();
            log.Write(key, value, version, call, end);
            Interlocked.Increment(ref _writes);
            Note(_report.SetTimes, call, end);
            return version;
        }
        catch (AuthorityUnavailableException exception)
        {
            Interlocked.Increment(ref _unavailable);
            if (exception.IsOutcomeUnknown)
            {
                log.Write(key, value, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
            }

            return null;
        }
    }

    /// <summary>A few writes one after the other: the first goes through and takes the right to keep the others back. Now and then they are flushed.</summary>
    private async Task WriteBackAsync(CoherentCache<int, long> node, ClientLog log, Random random, int key)
    {
        long last = 0;
        for (int i = 0; i < WritesPerBurst; i++)
        {
            long value = NextValue();
            long call = Stopwatch.GetTimestamp();
            ValueTask<long> write = node.SetAsync(key, value, mode: WriteMode.Back);
            if (!write.IsCompletedSuccessfully)
            {
                // It went through: a store that is far away does not answer on the caller's stack.
                last = await WriteAsync(log, key, value, () => write) ?? last;
                continue;
            }

            last = await write;
            log.Buffer(key, value, last, call, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref _buffered);
        }

        if (last > 0 && random.Next(3) == 0)
        {
            await FlushAsync(node, log, key, last);
        }
    }

    private async Task FlushAsync(CoherentCache<int, long> node, ClientLog log, int key, long version)
    {
        long call = Stopwatch.GetTimestamp();
        try
        {
            await node.FlushAsync(key);
            log.Flushed(key, version, call, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref _flushes);
        }
        catch (BufferedWritesLostException)
        {
            // It is told by the event too.
        }
    }

    private void NoteLoss(int node, LossReport lost)
    {
        lock (_lock)
        {
            _report.Losses.Add(new ToldLoss(node, (int)lost.Key, lost.FirstVersion, lost.LastVersion));
        }
    }

    private async Task CountAsync(CoherentCache<string, long> counter)
    {
        await counter.GetOrCreateAsync("count", static (_, _) => ValueTask.FromResult(0L));
        while (IsTime)
        {
            long call = Stopwatch.GetTimestamp();
            try
            {
                Lookup<long> counted = await counter.UpdateAsync("count", 1, static (old, by) => old + by);
                _report.Acknowledged += counted.IsHit ? 1 : 0;
                Note(_report.UpdateTimes, call, Stopwatch.GetTimestamp());
            }
            catch (AuthorityUnavailableException exception)
            {
                _report.Unknown += exception.IsOutcomeUnknown ? 1 : 0;
            }
            catch (CapabilityLostException)
            {
                // Nothing was changed.
            }

            await Task.Delay(2);
        }
    }

    private async Task ReadCounterAsync(CoherentCache<string, long> counter)
    {
        // The other processes count on for a moment.
        await Task.Delay(TimeSpan.FromSeconds(3));
        _report.Counter = (await counter.GetAsync("count")).Value;
    }

    private void Note(List<long> times, long call, long end)
    {
        lock (_lock)
        {
            times.Add((long)Stopwatch.GetElapsedTime(call, end).TotalMicroseconds);
        }
    }
}
