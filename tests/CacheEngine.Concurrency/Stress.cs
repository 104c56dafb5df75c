using System.Diagnostics;
using CacheEngine.Checking;

namespace CacheEngine.Concurrency;

/// <summary>The shape of a stress run.</summary>
internal sealed record StressOptions
{
    public int Nodes { get; init; } = 8;

    public int Keys { get; init; } = 16;

    public int ThreadsPerNode { get; init; } = 4;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(20);

    public int Seed { get; init; } = Environment.TickCount;

    public TimeSpan LeaseTerm { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether links are slow for a while and then silent, node after node.</summary>
    public bool HasFlakyLinks { get; init; }
}

/// <summary>What a stress run did.</summary>
internal sealed record StressResult(int Seed, long Reads, long Hits, long Writes, long Loads, List<Violation> Violations);

/// <summary>
/// Nodes, keys and threads that read, write, remove and load at once on real threads, every operation recorded.
/// </summary>
internal sealed class Stress(StressOptions options)
{
    private readonly History _history = new();
    private long _lastValue;
    private long _hits;
    private long _writes;
    private long _loads;

    public async Task<StressResult> RunAsync()
    {
        var links = new FlakyLinks();
        await using var authority = EmbeddedAuthority.Create(new() { LeaseTerm = options.LeaseTerm, Links = links });
        var nodes = new List<CoherentCache<int, Stamp>>();
        for (int i = 0; i < options.Nodes; i++)
        {
            nodes.Add(await CoherentCache.OpenAsync<int, Stamp>(authority, "stress", new() { NodeName = $"node{i}" }));
        }

        long end = Stopwatch.GetTimestamp() + (long)(options.Duration.TotalSeconds * Stopwatch.Frequency);
        var logs = new List<ClientLog>();
        var threads = new List<Task>();
        for (int i = 0; i < options.Nodes * options.ThreadsPerNode; i++)
        {
            ClientLog log = _history.AddClient(options.Keys);
            logs.Add(log);
            CoherentCache<int, Stamp> node = nodes[i % options.Nodes];
            var random = new Random(options.Seed + i);
            threads.Add(Task.Factory.StartNew(() => ClientAsync(node, log, random, end), TaskCreationOptions.LongRunning).Unwrap());
        }

        if (options.HasFlakyLinks)
        {
            threads.Add(links.DisturbAsync(authority, options, end));
            threads.Add(RestartAsync(authority, end));
            foreach (CoherentCache<int, Stamp> node in nodes)
            {
                ClientLog log = _history.AddClient(options.Keys);
                logs.Add(log);
                threads.Add(Task.Factory.StartNew(() => ReadOnly(node, log, end), TaskCreationOptions.LongRunning));
            }
        }

        await Task.WhenAll(threads);
        foreach (CoherentCache<int, Stamp> node in nodes)
        {
            Assert.Equal(0, node.Engine.OperationsInFlight);
            await node.DisposeAsync();
        }

        Assert.Equal(0, authority.RefusedMessages);
        return new StressResult(
            options.Seed, logs.Sum(log => log.Reads), _hits, _writes, _loads, IntervalChecker.Check(_history.Events()));
    }

    private async Task ClientAsync(CoherentCache<int, Stamp> node, ClientLog log, Random random, long end)
    {
        while (Stopwatch.GetTimestamp() < end)
        {
            int key = random.Next(options.Keys);
            try
            {
                await StepAsync(node, log, random, key);
            }
            catch (AuthorityUnavailableException)
            {
                // A read without an answer says nothing; a write has been written down.
            }
        }
    }

    /// <summary>Crashes and restarts the authority, and breaks single connections in between: replies are lost.</summary>
    private async Task RestartAsync(EmbeddedAuthority authority, long end)
    {
        for (int i = 1; Stopwatch.GetTimestamp() < end; i++)
        {
            await Task.Delay(options.LeaseTerm);
            if (i % 4 == 0)
            {
                authority.Restart();
            }
            else
            {
                authority.CutOff($"node{i % options.Nodes}");
            }
        }
    }

    private async Task StepAsync(CoherentCache<int, Stamp> node, ClientLog log, Random random, int key)
    {
        switch (random.Next(100))
        {
            case < 52:
                for (int i = 0; i < 20; i++)
                {
                    TryGet(node, log, random.Next(options.Keys));
                }

                break;
            case < 65:
                await GetAsync(node, log, key);
                break;
            case < 78:
                await LoadAsync(node, log, key);
                break;
            case < 84:
                await SetAsync(node, log, key);
                break;
            case < 89:
                await UpdateAsync(node, log, key);
                break;
            case < 93:
                await TryUpdateAsync(node, log, key);
                break;
            case < 96:
                await WriteAsync(log, key, HistoryEvent.Absent, () => node.RemoveAsync(key));
                break;
            case < 98:
                await SetManyAsync(node, log, random);
                break;
            default:
                await node.RecallAsync(key);
                break;
        }
    }

    /// <summary>Serves from memory, whatever the link does: what a node with running threads and no network would do.</summary>
    private void ReadOnly(CoherentCache<int, Stamp> node, ClientLog log, long end)
    {
        while (Stopwatch.GetTimestamp() < end)
        {
            for (int key = 0; key < options.Keys; key++)
            {
                TryGet(node, log, key);
            }

            Thread.Sleep(1);
        }
    }

    private void TryGet(CoherentCache<int, Stamp> node, ClientLog log, int key)
    {
        long call = Stopwatch.GetTimestamp();
        if (node.TryGet(key, out Stamp value, out long version))
        {
            log.Read(key, value.Checked(), version, call, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref _hits);
        }
        else if (node.TryGet(key, out value))
        {
            // The form without a version is another path of the same promise; the value names its version.
            log.Read(key, value.Checked(), HistoryEvent.Unversioned, call, Stopwatch.GetTimestamp());
        }
    }

    private static async Task GetAsync(CoherentCache<int, Stamp> node, ClientLog log, int key)
    {
        long call = Stopwatch.GetTimestamp();
        Lookup<Stamp> found = await node.GetAsync(key);
        long value = found.IsHit ? found.Value.Checked() : HistoryEvent.Absent;
        log.Read(key, value, found.Version, call, Stopwatch.GetTimestamp());
    }

    private async Task LoadAsync(CoherentCache<int, Stamp> node, ClientLog log, int key)
    {
        long call = Stopwatch.GetTimestamp();
        Stamp value = await node.GetOrCreateAsync(
            key,
            (Stress: this, Log: log),
            static async (key, state, token) =>
            {
                long start = Stopwatch.GetTimestamp();
                long value = Interlocked.Increment(ref state.Stress._lastValue);
                if (value % 4 == 0)
                {
                    await Task.Delay(1, token);
                }

                Interlocked.Increment(ref state.Stress._loads);
                state.Log.Load(key, value, start, Stopwatch.GetTimestamp());
                return Stamp.Of(value);
            });
        log.Read(key, value.Checked(), HistoryEvent.Unversioned, call, Stopwatch.GetTimestamp());
    }

    private async Task SetAsync(CoherentCache<int, Stamp> node, ClientLog log, int key)
    {
        long value = Interlocked.Increment(ref _lastValue);
        await WriteAsync(log, key, value, () => node.SetAsync(key, Stamp.Of(value)));
    }

    private async Task UpdateAsync(CoherentCache<int, Stamp> node, ClientLog log, int key)
    {
        long value = Interlocked.Increment(ref _lastValue);
        long? basedOn = null;
        await WriteAsync(
            log,
            key,
            value,
            async () =>
            {
                Lookup<Stamp> result = await node.UpdateAsync(
                    key,
                    value,
                    (old, made) =>
                    {
                        basedOn = old.Checked();
                        return Stamp.Of(made);
                    });
                return result.IsHit ? result.Version : HistoryEvent.Unversioned;
            },
            () => basedOn);
    }

    private async Task TryUpdateAsync(CoherentCache<int, Stamp> node, ClientLog log, int key)
    {
        long value = Interlocked.Increment(ref _lastValue);
        Lookup<Stamp> found = await node.GetAsync(key);
        long? basedOn = found.IsHit ? found.Value.Checked() : null;
        await WriteAsync(
            log,
            key,
            value,
            async () =>
            {
                UpdateResult result = await node.TryUpdateAsync(key, found.Version, Stamp.Of(value));
                return result.IsUpdated ? result.Version : HistoryEvent.Unversioned;
            },
            () => basedOn);
    }

    private async Task SetManyAsync(CoherentCache<int, Stamp> node, ClientLog log, Random random)
    {
        var entries = new KeyValuePair<int, Stamp>[Math.Min(3, options.Keys)];
        int first = random.Next(options.Keys);
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new((first + i) % options.Keys, Stamp.Of(Interlocked.Increment(ref _lastValue)));
        }

        long call = Stopwatch.GetTimestamp();
        long[]? versions = null;
        try
        {
            versions = await node.SetManyAsync(entries);
            Interlocked.Add(ref _writes, versions.Length);
        }
        catch (AuthorityUnavailableException)
        {
            // Written down below: some of them may have been applied.
        }

        for (int i = 0; i < entries.Length; i++)
        {
            log.Write(
                entries[i].Key,
                entries[i].Value.Value,
                versions?[i] ?? HistoryEvent.Unversioned,
                call,
                versions is null ? HistoryEvent.Pending : Stopwatch.GetTimestamp());
        }
    }

    private async Task WriteAsync(ClientLog log, int key, long value, Func<ValueTask<long>> write, Func<long?>? basedOn = null)
    {
        long call = Stopwatch.GetTimestamp();
        try
        {
            long version = await write();
            if (version == HistoryEvent.Unversioned)
            {
                // Refused: whoever sees the value finds that nobody wrote it.
                return;
            }

            Interlocked.Increment(ref _writes);
            if (basedOn?.Invoke() is { } old)
            {
                log.Update(key, value, version, old, call, Stopwatch.GetTimestamp());
            }
            else
            {
                log.Write(key, value, version, call, Stopwatch.GetTimestamp());
            }
        }
        catch (AuthorityUnavailableException exception) when (exception.IsOutcomeUnknown)
        {
            log.Write(key, value, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
        }
        catch (CapabilityLostException)
        {
            // Nothing was changed.
        }
    }
}
