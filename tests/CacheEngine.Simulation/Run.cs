using CacheEngine.Arbitration;
using CacheEngine.Checking;
using CacheEngine.Embedded;

namespace CacheEngine.Simulation;

/// <summary>What a run found.</summary>
internal sealed record RunResult(Scenario Scenario, ulong Hash, long Steps, long Operations, long Hits, List<Violation> Violations);

/// <summary>One seed: nodes over an embedded authority, clients, faults, and the checks that everything must pass.</summary>
internal sealed class Run
{
    private const int StepsBetweenSweeps = 64;
    private const long Second = 1_000_000;

    private readonly Scenario _scenario;
    private readonly World _world;
    private readonly SimulatedLinks _links;
    private readonly History _history = new();
    private readonly List<CoherentCache<int, string>> _nodes = [];
    private readonly List<Violation> _violations = [];
    private readonly long[] _source;
    private EmbeddedAuthority _authority = null!;
    private long _lastValue;
    private long _operations;
    private long _hits;
    private bool _isEnding;

    private Run(Scenario scenario)
    {
        _scenario = scenario;
        _world = new World(scenario.Seed);
        _links = new SimulatedLinks(_world, scenario.TypicalDelayMilliseconds, scenario.SlowShare, scenario.SlowDelayMilliseconds);
        _source = new long[scenario.Keys];
    }

    public static RunResult Execute(Scenario scenario)
    {
        SynchronizationContext? outer = SynchronizationContext.Current;
        long escapesBefore = ThreadPool.CompletedWorkItemCount;
        var run = new Run(scenario);
        SynchronizationContext.SetSynchronizationContext(run._world);
        try
        {
            run.Go();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }

        if (ThreadPool.CompletedWorkItemCount != escapesBefore || ThreadPool.PendingWorkItemCount != 0)
        {
            run._violations.Add(new Violation("escaped", -1, "work ran on the thread pool"));
        }

        return new RunResult(scenario, run._world.Hash, run._world.Steps, run._operations, run._hits, run._violations);
    }

    private void Go()
    {
        Task main = MainAsync();
        long faultsEnd = _scenario.Seconds * Second;
        long nextSweep = 0;
        while (!main.IsCompleted && _world.TryStep(faultsEnd))
        {
            if (_world.Steps >= nextSweep)
            {
                Sweep();
                nextSweep = _world.Steps + StepsBetweenSweeps;
            }
        }

        // From here on nothing fails any more, and everything must end: H8, and no operation outlives its bound.
        _isEnding = true;
        _links.Heal();
        _authority.WakeLinks();
        bool ended = _world.RunUntil(main, faultsEnd + (120 * Second));
        if (!ended)
        {
            _violations.Add(new Violation("stuck", -1, $"after {_world.Steps} steps something never ends"));
            return;
        }

        Sweep();
        foreach (CoherentCache<int, string> node in _nodes)
        {
            (int total, int used, int reserved, int available) = node.Engine.Pool.Status();
            if (total != used + reserved + available || reserved != 0 || node.Engine.OperationsInFlight != 0)
            {
                _violations.Add(new Violation("conservation", -1, $"caps {total} = {used} + {reserved} + {available}; {node.Engine.OperationsInFlight} in flight"));
            }
        }

        if (_authority.RefusedMessages != 0)
        {
            _violations.Add(new Violation("refused", -1, $"{_authority.RefusedMessages} messages"));
        }

        _violations.AddRange(IntervalChecker.Check(_history.Events(), seenBeforeAcknowledged: _scenario.AtSource));
    }

    private async Task MainAsync()
    {
        var random = new Random(unchecked((int)_scenario.Seed));
        var authorityTime = new VirtualTime(_world, 1, 0);
        _authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
        {
            LeaseTerm = TimeSpan.FromMilliseconds(_scenario.LeaseTermMilliseconds),
            ClockDrift = _scenario.ClockDrift,
            ClockGranularity = TimeSpan.FromMilliseconds(1),
            CopyValues = _scenario.CopyValues,
            TimeProvider = authorityTime,
            Links = _links,
            Scheduler = _world.Pumps,
        });
        for (int i = 0; i < _scenario.Nodes; i++)
        {
            double rate = 1 + ((random.NextDouble() - 0.5) * _scenario.ClockDrift);
            _nodes.Add(await CoherentCache.OpenAsync<int, string>(_authority, "simulation", new()
            {
                NodeName = $"node{i}",
                Placement = _scenario.AtSource ? ValuePlacement.Source : ValuePlacement.Authority,
                TimeProvider = new VirtualTime(_world, rate, random.Next(1_000_000_000)),
                HashSeed = _scenario.Seed,
                Scheduler = _world.Pumps,
                OperationTimeout = TimeSpan.FromSeconds(20),
            }));
        }

        var tasks = new List<Task>();
        for (int i = 0; i < _scenario.Nodes * _scenario.ClientsPerNode; i++)
        {
            int node = i % _scenario.Nodes;
            var client = new Client(this, _nodes[node], _history.AddClient(_scenario.Keys), new Random(random.Next()));
            tasks.Add(client.RunAsync(authorityTime));
        }

        if (_scenario.SilenceEveryMilliseconds > 0)
        {
            tasks.Add(SilenceAsync(new Random(random.Next()), authorityTime));
        }

        await Task.WhenAll(tasks);
        await AgreeAsync();
        foreach (CoherentCache<int, string> node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    /// <summary>Once nothing fails any more, every node answers for every key, and all answer the same.</summary>
    private async Task AgreeAsync()
    {
        for (int key = 0; key < _scenario.Keys; key++)
        {
            var answers = new HashSet<string>();
            if (_scenario.AtSource)
            {
                // A change whose news never got through may have left an older value in place: tell the cluster now.
                await _nodes[0].RemoveAsync(key);
            }

            foreach (CoherentCache<int, string> node in _nodes)
            {
                try
                {
                    answers.Add(_scenario.AtSource
                        ? await node.GetOrCreateAsync(key, (_, _) => ValueTask.FromResult($"{_source[key]}"))
                        : $"{await node.GetAsync(key)}");
                }
                catch (AuthorityUnavailableException)
                {
                    answers.Add("no answer");
                }
            }

            if (answers.Count != 1 || answers.Contains("no answer"))
            {
                _violations.Add(new Violation("disagree", key, string.Join(", ", answers)));
            }
        }
    }

    private async Task SilenceAsync(Random random, TimeProvider time)
    {
        while (!_isEnding)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(2 * _scenario.SilenceEveryMilliseconds)), time);
            string node = $"node{random.Next(_scenario.Nodes)}";
            LinkDirection[] directions = random.Next(3) switch
            {
                0 => [LinkDirection.ToNode],
                1 => [LinkDirection.ToAuthority],
                _ => [LinkDirection.ToNode, LinkDirection.ToAuthority],
            };
            foreach (LinkDirection direction in directions)
            {
                _links.Silence(direction, node);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(_scenario.SilenceMilliseconds)), time);
            foreach (LinkDirection direction in directions)
            {
                _links.Restore(direction, node);
            }

            _authority.WakeLinks();
        }
    }

    /// <summary>What must hold at every moment: conflicting rights are never out together, counting those being revoked (CAP-01, P02).</summary>
    private void Sweep()
    {
        _authority?.Store.Inspect(record =>
        {
            for (int i = 0; i < record.Holders.Count; i++)
            {
                for (int j = i + 1; j < record.Holders.Count; j++)
                {
                    HolderState left = record.Holders[i].State;
                    HolderState right = record.Holders[j].State;
                    if (!ConflictTable.Compatible(left.Implemented, right.Implemented))
                    {
                        _violations.Add(new Violation("together", (int)record.Id.Value, $"{left} and {right}"));
                    }
                }
            }
        });
    }

    /// <summary>One client of one node: reads, writes, removes and loads, and writes down what it saw.</summary>
    private sealed class Client(Run run, CoherentCache<int, string> node, ClientLog log, Random random)
    {
        private Scenario Scenario => run._scenario;

        public async Task RunAsync(TimeProvider time)
        {
            while (!run._isEnding)
            {
                await Task.Delay(TimeSpan.FromMicroseconds(random.Next(1 + (2000 * Scenario.ThinkMilliseconds))), time);
                int key = random.Next(Scenario.Keys);
                run._operations++;
                try
                {
                    await (random.Next(10) switch
                    {
                        < 5 => TryGet(key),
                        < 6 => GetAsync(key),
                        < 8 => LoadAsync(key, time),
                        < 9 => Scenario.AtSource ? ChangeSourceAsync(key, time) : SetAsync(key),
                        _ => Scenario.AtSource ? ChangeSourceAsync(key, time) : RemoveAsync(key),
                    });
                }
                catch (AuthorityUnavailableException)
                {
                    // A read has no answer; a write was written down as pending before it was sent.
                    run._world.Mix(-1);
                }
            }
        }

        private ValueTask TryGet(int key)
        {
            long call = run._world.NextStamp();
            if (node.TryGet(key, out string? value, out long version))
            {
                run._hits++;
                Saw(key, value, version, call);
            }

            return default;
        }

        private async ValueTask GetAsync(int key)
        {
            long call = run._world.NextStamp();
            Lookup<string> found = await node.GetAsync(key);
            if (found.Status != LookupStatus.Unknown)
            {
                Saw(key, found.Value, found.Version, call, found.Status == LookupStatus.Absent);
            }
        }

        private async ValueTask LoadAsync(int key, TimeProvider time)
        {
            using var cancellation = new CancellationTokenSource();
            int patience = random.Next(20) == 0 ? random.Next(50) : -1;
            if (patience >= 0)
            {
                cancellation.CancelAfter(Timeout.InfiniteTimeSpan);
                _ = CancelLaterAsync(cancellation, patience, time);
            }

            long call = run._world.NextStamp();
            try
            {
                string value = await node.GetOrCreateAsync(key, time, MakeAsync, cancellationToken: cancellation.Token);
                Saw(key, value, HistoryEvent.Unversioned, call);
            }
            catch (OperationCanceledException) when (patience >= 0)
            {
                run._world.Mix(-2);
            }
            catch (FormatException)
            {
                // The factory failed on purpose.
                run._world.Mix(-3);
            }
        }

        private static async Task CancelLaterAsync(CancellationTokenSource cancellation, int milliseconds, TimeProvider time)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), time);
            try
            {
                cancellation.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The load was faster.
            }
        }

        private async ValueTask<string> MakeAsync(int key, TimeProvider time, CancellationToken token)
        {
            long start = run._world.NextStamp();
            if (Scenario.AtSource)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(5)), time, token);
                long seen = run._source[key];
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(30)), time, token);
                return Text(seen);
            }

            long made = ++run._lastValue;
            if (random.Next(2) == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50)), time, token);
            }

            if (random.Next(10) == 0)
            {
                throw new FormatException("The factory fails now and then.");
            }

            log.Load(key, made, start, run._world.NextStamp());
            return Text(made);
        }

        private async ValueTask SetAsync(int key)
        {
            long value = ++run._lastValue;
            await WriteAsync(key, value, () => node.SetAsync(key, Text(value)));
        }

        private ValueTask RemoveAsync(int key) => WriteAsync(key, HistoryEvent.Absent, () => node.RemoveAsync(key));

        private async ValueTask WriteAsync(int key, long value, Func<ValueTask<long>> write)
        {
            long call = run._world.NextStamp();
            try
            {
                long version = await write();
                log.Write(key, value, version, call, run._world.NextStamp());
                run._world.Mix(version);
            }
            catch (AuthorityUnavailableException exception)
            {
                log.Write(key, value, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
                if (!exception.IsOutcomeUnknown)
                {
                    run._violations.Add(new Violation("outcome", key, "a failed write did not say that its outcome is unknown"));
                }
            }
        }

        /// <summary>The truth is the source's: change it, then tell the cluster. The source counts up, so its value is the version.</summary>
        private async ValueTask ChangeSourceAsync(int key, TimeProvider time)
        {
            long call = run._world.NextStamp();
            long value = ++run._source[key];
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(5)), time);
            try
            {
                await node.RemoveAsync(key);
                log.Write(key, value, value, call, run._world.NextStamp());
            }
            catch (AuthorityUnavailableException)
            {
                log.Write(key, value, value, call, HistoryEvent.Pending);
            }
        }

        private void Saw(int key, string? text, long version, long call, bool isAbsent = false)
        {
            if (text is null && !isAbsent)
            {
                // A hit on null is not the knowledge that there is nothing: nobody wrote null.
                run._violations.Add(new Violation("never written", key, $"null with version {version} at {call}"));
            }

            long value = text is null ? HistoryEvent.Absent : long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
            if (Scenario.AtSource)
            {
                // The authority's versions number removals; the truth here is the source's own counter, which starts at zero: nobody wrote that.
                if (value > 0)
                {
                    log.Read(key, value, value, call, run._world.NextStamp());
                }
            }
            else
            {
                log.Read(key, value, version, call, run._world.NextStamp());
            }

            run._world.Mix(value);
        }

        private static string Text(long value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
