using System.Diagnostics;
using System.Globalization;
using CacheEngine.Checking;
using CacheEngine.Embedded;
using CacheEngine.Protocol;
using Xunit.Abstractions;

namespace CacheEngine.Concurrency;

/// <summary>
/// Nodes that keep writes back on real threads, while the authority crashes and nodes die: nothing stale, nothing acknowledged for good is lost, and every buffered
/// write that is undone is reported by its node, unless that is dead. CACHEENGINE_SOAK_SECONDS says for how long, 15 if it is not set.
/// </summary>
public class WriteBackSoak(ITestOutputHelper output)
{
    private const int Nodes = 5;
    private const int ThreadsPerNode = 3;
    private const int Keys = 12;

    /// <summary>How coarse the authority's clock is, by which a restore is placed among the operations.</summary>
    private const int CoarseMilliseconds = 40;

    private static readonly TimeSpan Term = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RestartEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KillEvery = TimeSpan.FromSeconds(5);

    private readonly History _history = new();
    private readonly List<BufferingNode> _nodes = [];
    private readonly List<Task> _clients = [];
    private readonly Lock _lock = new();
    private readonly Dictionary<Inodes.InodeId, int> _keys = [];
    private readonly List<(BufferTaken Taken, long ToldAt)> _taken = [];
    private readonly long _startTicks = Environment.TickCount64;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _lastValue;
    private long _hits;
    private long _buffered;
    private long _flushes;
    private long _reads;

    [Fact]
    [Rule("H1", "H2", "H3", "H8", "P01", "P11", "P13", "P14", "P15")]
    public async Task RestartsAndDeaths_NothingStale_FlushedSurvives_LossesAreExact()
    {
        int seconds = int.Parse(Environment.GetEnvironmentVariable("CACHEENGINE_SOAK_SECONDS") ?? "15", CultureInfo.InvariantCulture);
        await using var authority = EmbeddedAuthority.Create(new() { LeaseTerm = Term });
        authority.Store.BufferWasTaken = taken =>
        {
            lock (_lock)
            {
                _taken.Add((taken, Stopwatch.GetTimestamp()));
            }
        };
        for (int i = 0; i < Nodes; i++)
        {
            await OpenAsync(authority);
        }

        long end = _start + (seconds * Stopwatch.Frequency);
        await Task.WhenAll(RestartAsync(authority, end), KillAsync(authority, end), SilenceAsync(authority, end));
        foreach (BufferingNode node in Snapshot())
        {
            node.Stop();
        }

        await Task.WhenAll(_clients).WaitAsync(TimeSpan.FromSeconds(60));
        await SettleAsync();
        Note(_taken);
        List<HistoryEvent> events = _history.Events();
        IReadOnlySet<int> dead = Snapshot().Where(node => node.IsDead).Select(node => node.Number).ToHashSet();
        var violations = new List<Violation>();
        violations.AddRange(IntervalChecker.Check(events));
        violations.AddRange(LossChecker.Check(events, [.. Snapshot().SelectMany(node => node.Losses)], dead));
        output.WriteLine(
            $"{seconds} s: {_hits} hits, {_reads} reads, {_buffered} buffered writes, {_flushes} flushes, {dead.Count} nodes killed, "
            + $"{_taken.Count} buffers taken, {Snapshot().Sum(node => node.Losses.Count)} losses reported");
        Assert.True(violations.Count == 0, string.Join('\n', violations));
        Assert.Equal(0, authority.RefusedMessages);
        Assert.True(_hits > 0 && _buffered > 0 && _flushes > 0 && dead.Count > 0, "the work or the faults did not happen");
        Assert.True(Snapshot().Exists(node => node.Losses.Count > 0) || seconds < 60, "a minute without a loss: the faults did not happen");
        foreach (BufferingNode node in Snapshot())
        {
            if (node.IsDead)
            {
                authority.Rejoin(node.Name);
            }

            await node.Cache.DisposeAsync();
        }
    }

    private List<BufferingNode> Snapshot()
    {
        lock (_lock)
        {
            return [.. _nodes];
        }
    }

    private async Task OpenAsync(EmbeddedAuthority authority)
    {
        int number;
        lock (_lock)
        {
            number = _nodes.Count;
        }

        string name = $"node{number}";
        CoherentCache<int, Stamp> cache = await CoherentCache.OpenAsync<int, Stamp>(authority, "soak", new()
        {
            NodeName = name,
            WriteBackDelay = TimeSpan.FromMilliseconds(300),
            OperationTimeout = TimeSpan.FromSeconds(5),
        });
        var node = new BufferingNode(number, name, cache, Keys);
        lock (_lock)
        {
            _nodes.Add(node);
        }

        for (int i = 0; i < ThreadsPerNode; i++)
        {
            ClientLog log = _history.AddClient(Keys, number);
            var random = new Random((number * ThreadsPerNode) + i);
            _clients.Add(Task.Factory.StartNew(() => ClientAsync(node, log, random), TaskCreationOptions.LongRunning).Unwrap());
        }

        ClientLog reader = _history.AddClient(Keys, number);
        _clients.Add(Task.Factory.StartNew(() => ReadOnly(node, reader), TaskCreationOptions.LongRunning));
    }

    private static async Task RestartAsync(EmbeddedAuthority authority, long end)
    {
        while (Stopwatch.GetTimestamp() < end)
        {
            await Task.Delay(RestartEvery);
            authority.Restart();
        }
    }

    private async Task KillAsync(EmbeddedAuthority authority, long end)
    {
        var random = new Random(1);
        while (Stopwatch.GetTimestamp() + (KillEvery.TotalSeconds * Stopwatch.Frequency) < end)
        {
            await Task.Delay(KillEvery);
            BufferingNode[] living = [.. Snapshot().Where(node => !node.IsDead)];
            BufferingNode victim = living[random.Next(living.Length)];
            victim.IsDead = true;
            authority.Isolate(victim.Name);
            await OpenAsync(authority);

            // It goes on serving what its memory holds, until its lease has run out.
            await Task.Delay(2 * Term);
            victim.Stop();
        }
    }

    /// <summary>Cuts a living node off for longer than its lease lasts, and lets it come back: what it had not flushed may be undone, and then it must say so.</summary>
    private async Task SilenceAsync(EmbeddedAuthority authority, long end)
    {
        var random = new Random(2);
        while (Stopwatch.GetTimestamp() < end)
        {
            await Task.Delay(3 * Term);
            BufferingNode[] living = [.. Snapshot().Where(node => !node.IsDead)];
            BufferingNode silent = living[random.Next(living.Length)];
            authority.Isolate(silent.Name);
            await Task.Delay(1.6 * Term);
            if (!silent.IsDead)
            {
                authority.Rejoin(silent.Name);
            }
        }
    }

    /// <summary>When nothing fails any more, everything is flushed or has been lost.</summary>
    private async Task SettleAsync()
    {
        foreach (BufferingNode node in Snapshot().Where(node => !node.IsDead))
        {
            for (int tries = 0; node.Cache.Unflushed != default && tries < 20; tries++)
            {
                try
                {
                    await node.Cache.FlushAsync();
                }
                catch (Exception exception) when (exception is AuthorityUnavailableException or BufferedWritesLostException)
                {
                    // Told by the event too; what is left is flushed by the next try.
                }
            }

            Assert.Equal(default, node.Cache.Unflushed);
            Assert.True(SpinWait.SpinUntil(() => node.Cache.Engine.OperationsInFlight == 0, TimeSpan.FromSeconds(30)));
        }
    }

    private void Note(List<(BufferTaken Taken, long ToldAt)> taken)
    {
        foreach (BufferingNode node in Snapshot())
        {
            for (int key = 0; key < Keys; key++)
            {
                Inodes.InodeId id = node.Cache.Resolve(key).UnguardedId;
                if (id.IsKnown)
                {
                    _keys[id] = key;
                }
            }
        }

        foreach ((BufferTaken restore, long toldAt) in taken)
        {
            long value = restore.Kept.Kind == PayloadKind.None ? HistoryEvent.Absent : ((Stamp)restore.Kept.Reference!).Checked();
            long call = _start + ((restore.At - _startTicks - CoarseMilliseconds) * Stopwatch.Frequency / 1000);
            _history.Restored(_keys[restore.Inode], value, restore.Version, restore.KeptVersion, call, toldAt);
        }
    }

    private async Task ClientAsync(BufferingNode node, ClientLog log, Random random)
    {
        for (int step = 0; !node.IsStopped; step++)
        {
            if (step % 64 == 0)
            {
                // The history is kept in memory.
                await Task.Delay(1);
            }

            try
            {
                await StepAsync(node, log, random, random.Next(Keys));
            }
            catch (AuthorityUnavailableException)
            {
                // A read without an answer says nothing; a write has been written down.
            }
        }
    }

    private async Task StepAsync(BufferingNode node, ClientLog log, Random random, int key)
    {
        switch (random.Next(100))
        {
            case < 45:
                for (int i = 0; i < 20; i++)
                {
                    TryGet(node, log, random.Next(Keys));
                }

                break;
            case < 55:
                long call = Stopwatch.GetTimestamp();
                Lookup<Stamp> found = await node.Cache.GetAsync(key);
                log.Read(key, found.IsHit ? found.Value.Checked() : HistoryEvent.Absent, found.Version, call, Stopwatch.GetTimestamp());
                Interlocked.Increment(ref _reads);
                break;
            case < 82:
                // One node has most of a key's writes, so that it keeps them back.
                int own = ((node.Number % Nodes) + (Nodes * random.Next(Keys / Nodes))) % Keys;
                await SetAsync(node, log, random.Next(8) == 0 ? key : own, WriteMode.Back);
                break;
            case < 88:
                await SetAsync(node, log, key, WriteMode.Through);
                break;
            case < 96:
                await FlushAsync(node, log, key);
                break;
            case < 98:
                await FlushAsync(node, log, key: null);
                break;
            default:
                await UpdateAsync(node, log, key);
                break;
        }
    }

    private void ReadOnly(BufferingNode node, ClientLog log)
    {
        while (!node.IsStopped)
        {
            for (int key = 0; key < Keys; key++)
            {
                TryGet(node, log, key);
            }

            Thread.Sleep(1);
        }
    }

    private void TryGet(BufferingNode node, ClientLog log, int key)
    {
        long call = Stopwatch.GetTimestamp();
        if (node.Cache.TryGet(key, out Stamp value, out long version))
        {
            log.Read(key, value.Checked(), version, call, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref _hits);
        }
    }

    private async Task SetAsync(BufferingNode node, ClientLog log, int key, WriteMode mode)
    {
        long value = Interlocked.Increment(ref _lastValue);
        long call = Stopwatch.GetTimestamp();
        try
        {
            long version = await node.Cache.SetAsync(key, Stamp.Of(value), mode: mode);
            if (mode == WriteMode.Back)
            {
                log.Buffer(key, value, version, call, Stopwatch.GetTimestamp());
                node.Returned(key, version);
                Interlocked.Increment(ref _buffered);
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
    }

    private async Task UpdateAsync(BufferingNode node, ClientLog log, int key)
    {
        long value = Interlocked.Increment(ref _lastValue);
        long basedOn = 0;
        long call = Stopwatch.GetTimestamp();
        try
        {
            Lookup<Stamp> result = await node.Cache.UpdateAsync(
                key,
                value,
                (old, made) =>
                {
                    basedOn = old.Checked();
                    return Stamp.Of(made);
                });
            if (result.IsHit)
            {
                log.Update(key, value, result.Version, basedOn, call, Stopwatch.GetTimestamp());
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

    private async Task FlushAsync(BufferingNode node, ClientLog log, int? key)
    {
        long[] newest = node.Newest();
        long call = Stopwatch.GetTimestamp();
        try
        {
            await (key is { } one ? node.Cache.FlushAsync(one) : node.Cache.FlushAsync());
            Interlocked.Increment(ref _flushes);
            for (int at = 0; at < Keys; at++)
            {
                if ((key is null || key == at) && newest[at] > 0)
                {
                    log.Flushed(at, newest[at], call, Stopwatch.GetTimestamp());
                }
            }
        }
        catch (BufferedWritesLostException)
        {
            // Told by the event too.
        }
    }

    /// <summary>A node, what its callers were told to be written, and what it said to be lost.</summary>
    private sealed class BufferingNode
    {
        private readonly Lock _lock = new();
        private readonly long[] _newest;
        private readonly List<ToldLoss> _losses = [];
        private volatile bool _isStopped;
        private volatile bool _isDead;

        public BufferingNode(int number, string name, CoherentCache<int, Stamp> cache, int keys)
        {
            Number = number;
            Name = name;
            Cache = cache;
            _newest = new long[keys];
            Action<LossReport>? next = cache.Engine.WriteBack.Lost;
            cache.Engine.WriteBack.Lost = report =>
            {
                Lose(report);
                next?.Invoke(report);
            };
        }

        public int Number { get; }

        public string Name { get; }

        public CoherentCache<int, Stamp> Cache { get; }

        public bool IsStopped => _isStopped;

        public bool IsDead
        {
            get => _isDead;
            set => _isDead = value;
        }

        public IReadOnlyList<ToldLoss> Losses
        {
            get
            {
                lock (_lock)
                {
                    return [.. _losses];
                }
            }
        }

        public void Stop() => _isStopped = true;

        public void Returned(int key, long version)
        {
            lock (_lock)
            {
                // Its answer may have come to its caller behind the news of its loss.
                if (!_losses.Exists(loss => loss.Key == key && loss.First <= version && version <= loss.Last))
                {
                    _newest[key] = Math.Max(_newest[key], version);
                }
            }
        }

        public long[] Newest()
        {
            lock (_lock)
            {
                return [.. _newest];
            }
        }

        private void Lose(LossReport report)
        {
            int key = (int)report.Key;
            lock (_lock)
            {
                _losses.Add(new ToldLoss(Number, key, report.FirstVersion, report.LastVersion));
                _newest[key] = report.FirstVersion <= _newest[key] && _newest[key] <= report.LastVersion ? 0 : _newest[key];
            }
        }
    }
}
