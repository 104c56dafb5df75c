using CacheEngine.Arbitration;
using CacheEngine.Checking;
using CacheEngine.Embedded;

namespace CacheEngine.Simulation;

/// <summary>What a run found.</summary>
internal sealed record RunResult(Scenario Scenario, ulong Hash, long Steps, long Operations, long Hits, List<Violation> Violations)
{
    /// <summary>Writes that were acknowledged without a message, or with one that asked for the right to that.</summary>
    public long Buffered { get; init; }

    public int Restores { get; init; }

    public long LostWrites { get; init; }
}

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
    private readonly List<NodeWrites> _writes = [];
    private readonly HashSet<int> _departed = [];
    private bool _isOpening;
    private EmbeddedAuthority _authority = null!;
    private Restores _restores = null!;
    private long _lastValue;

    private Run(Scenario scenario, TextWriter? trace)
    {
        _scenario = scenario;
        _world = new World(scenario.Seed);
        _links = new SimulatedLinks(
            _world, scenario.TypicalDelayMilliseconds, scenario.SlowShare, scenario.SlowDelayMilliseconds, scenario.RepeatedShare)
        {
            Tap = new MessageTap(this, trace),
        };
        Source = new Source(scenario.Keys, scenario.Source == SourceKind.Fenced);
    }

    public Scenario Scenario => _scenario;

    public World World => _world;

    public Source Source { get; }

    public Counter Counter { get; } = new();

    public long Operations { get; set; }

    public long Hits { get; set; }

    public long Buffered { get; set; }

    public long LostWrites { get; set; }

    public bool IsEnding { get; private set; }

    public long NextValue() => ++_lastValue;

    public void Violate(string rule, int key, string detail) => _violations.Add(new Violation(rule, key, detail));

    /// <param name="scenario">The scenario.</param>
    /// <param name="trace">Where every message is written; null: nowhere.</param>
    public static RunResult Execute(Scenario scenario, TextWriter? trace = null)
    {
        SynchronizationContext? outer = SynchronizationContext.Current;
        long escapesBefore = ThreadPool.CompletedWorkItemCount;
        var run = new Run(scenario, trace);
        SynchronizationContext.SetSynchronizationContext(run._world);
        try
        {
            run.Go();
        }
        catch (Exception exception)
        {
            run.Violate("threw", -1, $"{exception}");
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }

        if (ThreadPool.CompletedWorkItemCount != escapesBefore || ThreadPool.PendingWorkItemCount != 0)
        {
            run._violations.Add(new Violation("escaped", -1, "work ran on the thread pool"));
        }

        return new RunResult(scenario, run._world.Hash, run._world.Steps, run.Operations, run.Hits, run._violations)
        {
            Buffered = run.Buffered,
            Restores = run._restores?.Count ?? 0,
            LostWrites = run.LostWrites,
        };
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
        IsEnding = true;
        _links.Heal();
        for (int i = 0; i < _nodes.Count; i++)
        {
            _authority.Rejoin($"node{i}");
        }

        _authority.WakeLinks();
        bool ended = _world.RunUntil(main, faultsEnd + (120 * Second));
        if (!ended)
        {
            Violate("stuck", -1, $"after {_world.Steps} steps something never ends");
            for (int key = 0; key <= _scenario.Keys; key++)
            {
                Violate("stuck", key, Dump(key));
            }

            return;
        }

        Sweep();
        CheckConservation();
        CheckHistory();
    }

    private void CheckConservation()
    {
        foreach (CoherentCache<int, string> node in _nodes)
        {
            (int total, int used, int reserved, int available) = node.Engine.Pool.Status();
            if (total != used + reserved + available || reserved != 0 || node.Engine.OperationsInFlight != 0)
            {
                _violations.Add(new Violation("conservation", -1, $"caps {total} = {used} + {reserved} + {available}; {node.Engine.OperationsInFlight} in flight"));
            }

            if (node.Unflushed != default || node.Engine.WriteBack.Ledger.Floor.Value != 0)
            {
                _violations.Add(new Violation("conservation", -1, $"{node.Unflushed} unflushed, floor {node.Engine.WriteBack.Ledger.Floor.Value}"));
            }

            for (int key = 0; key <= _scenario.Keys; key++)
            {
                using Inodes.Inode.Hold hold = node.Resolve(key).Enter();
                if (hold.Cap?.Buffer is { } buffer && (!buffer.IsClean || !buffer.RoomWaiters.IsEmpty))
                {
                    Violate("conservation", key, "an inode is dirty, is being flushed or has callers that wait for room");
                }
            }
        }

        if (_authority.RefusedMessages != 0)
        {
            _violations.Add(new Violation("refused", -1, $"{_authority.RefusedMessages} messages"));
        }
    }

    private void CheckHistory()
    {
        for (int i = 0; i < _writes.Count; i++)
        {
            _writes[i].CheckTold(isDeparted: _departed.Contains(i));
        }

        _restores.AddTo(_history);
        List<HistoryEvent> events = _history.Events();
        _violations.AddRange(IntervalChecker.Check(events, seenBeforeAcknowledged: _scenario.Source == SourceKind.Told));

        // Who was stopped before it could flush names what it does not know to be saved: that may have been in vain.
        ToldLoss[] told = [.. _writes.SelectMany(writes => writes.Told)];
        ToldLoss[] all = [.. told, .. _writes.SelectMany(writes => writes.PerhapsLost)];
        _violations.AddRange(LossChecker.Check(events, all).Where(violation => violation.Rule == "loss not told"));
        _violations.AddRange(LossChecker.Check(events, told).Where(violation => violation.Rule == "loss told in vain"));
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
            Quota = _scenario.QuotaBytes == 0 ? new EmbeddedAuthorityOptions().Quota : new(stepBytes: _scenario.QuotaBytes, ceilingBytes: 4L * _scenario.QuotaBytes),
            CommitDelay = TimeSpan.FromMilliseconds(_scenario.CommitDelayMilliseconds),
        });
        _restores = new Restores(_world, _authority, KeyOf);
        _restores.Listen();
        for (int i = 0; i < _scenario.Nodes; i++)
        {
            _nodes.Add(await OpenNodeAsync(random));
        }

        if (!_scenario.AtSource)
        {
            await SucceedAsync(() => _nodes[0].SetAsync(_scenario.Keys, "0"));
        }

        var tasks = new List<Task>();
        for (int i = 0; i < _scenario.Nodes * _scenario.ClientsPerNode; i++)
        {
            tasks.Add(StartClient(i % _scenario.Nodes, random, authorityTime));
        }

        var faults = new Random(random.Next());
        tasks.Add(SilenceAsync(faults, authorityTime));
        tasks.Add(NowAndThenAsync(_scenario.RestartEveryMilliseconds, faults, authorityTime, Restart));
        tasks.Add(NowAndThenAsync(_scenario.BreakEveryMilliseconds, faults, authorityTime, () => _authority.CutOff($"node{faults.Next(_nodes.Count)}")));
        tasks.Add(DeathsAsync(faults, authorityTime));
        if (_scenario.EvictEveryMilliseconds > 0)
        {
            tasks.Add(NowAndThenAsync(
                _scenario.EvictEveryMilliseconds, new Random(random.Next()), authorityTime, Evict));
        }

        if (_scenario.Departures > 0)
        {
            tasks.Add(DeparturesAsync(new Random(random.Next()), authorityTime));
        }

        await Task.WhenAll(tasks);
        await SettleDownAsync(authorityTime);
        await FlushAllAsync();
        long lost = LostWrites;
        await AgreeAsync();
        foreach (CoherentCache<int, string> node in _nodes)
        {
            await node.DisposeAsync();
        }

        if (LostWrites != lost)
        {
            Violate("loss told", -1, "something was lost after everything had been flushed");
        }
    }

    private void Restart()
    {
        _authority.Restart(_scenario.CutsTail);
        _restores.ForgetCut();
        if (_scenario.CutsTail)
        {
            _links.Tap!.ForgetEvictions();

            // Every node looks what it has received at this very moment: nothing of it may tell of what is forgotten.
            _authority.WakeLinks();
        }
    }

    private void Evict()
    {
        string node = $"node{_world.Random.Next(_nodes.Count)}";
        _authority.Evict(node);
        _links.Tap!.Evicted(node);
    }

    /// <summary>Which key an object is: whoever had it knows.</summary>
    private int KeyOf(Inodes.InodeId inode)
    {
        for (int i = 0; i < _nodes.Count; i++)
        {
            for (int key = 0; key <= _scenario.Keys; key++)
            {
                if (_nodes[i].Resolve(key).UnguardedId == inode)
                {
                    return key;
                }
            }
        }

        throw new InvalidOperationException($"Nobody knows object {inode.Value}.");
    }

    private async Task<CoherentCache<int, string>> OpenNodeAsync(Random random)
    {
        double rate = 1 + ((random.NextDouble() - 0.5) * _scenario.ClockDrift);
        CoherentCache<int, string> node = await CoherentCache.OpenAsync<int, string>(OpenedAt(random), "simulation", new()
        {
            NodeName = $"node{_nodes.Count}",
            Placement = _scenario.AtSource ? ValuePlacement.Source : ValuePlacement.Authority,
            RaiseFenceAsync = _scenario.Source == SourceKind.Fenced ? RaiseFenceAsync : null,
            MaxSourceWriteTime = _scenario.Source == SourceKind.Bounded ? TimeSpan.FromMilliseconds(_scenario.StallMilliseconds + 5) : null,
            Expiration = _scenario.AtSource && _scenario.ExpirationMilliseconds > 0 ? TimeSpan.FromMilliseconds(_scenario.ExpirationMilliseconds) : null,
            TimeProvider = new VirtualTime(_world, rate, random.Next(1_000_000_000)),
            HashSeed = _scenario.Seed,
            Scheduler = _world.Pumps,
            OperationTimeout = TimeSpan.FromSeconds(20),
            BreakTimeout = TimeSpan.FromSeconds(2),
            WriteBackDelay = TimeSpan.FromMilliseconds(_scenario.WriteBackDelayMilliseconds),
            MaxDirtyEntries = _scenario.MaxDirty,
            SizeOf = _scenario.QuotaBytes == 0 ? null : SizeOf,
        });
        _writes.Add(new NodeWrites(this, _nodes.Count, node, _scenario.Keys + 1));
        return node;
    }

    /// <summary>Some values are larger than what a node is ever allowed to keep back.</summary>
    private long SizeOf(string value) => long.Parse(value, System.Globalization.CultureInfo.InvariantCulture) * 7919 % (5 * _scenario.QuotaBytes);

    /// <summary>Where a node opens its sessions.</summary>
    private CacheAuthority OpenedAt(Random random) =>
        _scenario.RepeatsOpenings
            ? new RepeatedOpenings(_authority, new Random(random.Next()), 500 * _scenario.Seconds, () => IsEnding)
            : _authority;

    /// <summary>The source takes its time, and fails now and then.</summary>
    private async ValueTask RaiseFenceAsync(int key, Fence fence, CancellationToken token)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(_world.Random.Next(10)), new VirtualTime(_world, 1, 0), token);
        if (!IsEnding && _world.Random.Next(10) == 0)
        {
            throw new FormatException("The source fails now and then.");
        }

        Source.Raise(key, fence);
    }

    /// <summary>A repeated opening may cut the node's session off: then the change is made again.</summary>
    private static async Task SucceedAsync(Func<ValueTask<long>> change)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                await change();
                return;
            }
            catch (AuthorityUnavailableException) when (tries < 5)
            {
                // Its outcome is unknown; a second time it changes nothing that anybody could tell.
            }
        }
    }

    private Task StartClient(int number, Random random, TimeProvider time)
    {
        CoherentCache<int, string> node = _nodes[number];
        ClientLog log = _history.AddClient(_scenario.Keys + 1, number);
        var own = new Random(random.Next());
        Client client =
            _scenario.AtSource ? new SourceClient(this, node, log, own, time)
            : _scenario.WritesBack ? new WriteBackClient(this, node, _writes[number], log, own, time)
            : new AuthorityClient(this, node, log, own, time);
        return client.RunAsync();
    }

    /// <summary>Every node flushes everything: what was lost is told now at the latest, and a second flush finds nothing to tell.</summary>
    private async Task FlushAllAsync()
    {
        foreach (int i in Staying())
        {
            bool isTold = false;
            for (int tries = 1; !isTold; tries++)
            {
                int losses = _writes[i].Losses;
                try
                {
                    await _nodes[i].FlushAsync();
                    isTold = true;
                }
                catch (BufferedWritesLostException exception) when (tries < 10)
                {
                    _writes[i].Threw(exception, losses);
                }
                catch (AuthorityUnavailableException) when (tries < 10)
                {
                    // A repeated opening may cut a session off again and again.
                }
            }

            if (_nodes[i].Unflushed != default)
            {
                Violate("conservation", -1, $"node{i} has {_nodes[i].Unflushed} unflushed after it has flushed everything");
            }
        }
    }

    private IEnumerable<int> Staying() => Enumerable.Range(0, _nodes.Count).Where(i => !_departed.Contains(i));

    /// <summary>A change whose caller has given up may still be under way. Bound: a minute; what is left then shows as disagreement.</summary>
    private async Task SettleDownAsync(TimeProvider time)
    {
        bool IsChanging(CoherentCache<int, string> node, int key)
        {
            using Inodes.Inode.Hold hold = node.Resolve(key).Enter();
            return hold.Activity is { Writes.IsEmpty: false };
        }

        for (int i = 0; i < 600 && _nodes.Exists(node => !node.Engine.IsDisposed && Enumerable.Range(0, _scenario.Keys + 1).Any(key => IsChanging(node, key))); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), time);
        }
    }

    /// <summary>Once nothing fails any more, every node answers for every key, and all answer the same.</summary>
    private async Task AgreeAsync()
    {
        for (int key = 0; key < _scenario.Keys + (_scenario.AtSource ? 0 : 1); key++)
        {
            var answers = new HashSet<string>();
            if (_scenario.Source == SourceKind.Told)
            {
                // A change whose news never got through may have left an older value in place: tell the cluster now.
                await SucceedAsync(() => _nodes[0].RemoveAsync(key));
            }

            // All at once where a writer may have forgotten its right: the others' questions take it back.
            IEnumerable<Task<string>> asked = Staying().Select(i => AnswerAsync(_nodes[i], key));
            foreach (Task<string> answer in _scenario.ForgetsWrites ? [.. asked] : asked)
            {
                answers.Add(await answer);
            }

            if (answers.Count != 1 || answers.Contains("no answer"))
            {
                Violate("disagree", key, $"{string.Join(", ", answers)}\n{Dump(key)}");
            }
        }
    }

    /// <summary>What everybody thinks of a key.</summary>
    private string Dump(int key)
    {
        var text = new System.Text.StringBuilder();
        Inodes.InodeId id = default;
        for (int i = 0; i < _nodes.Count; i++)
        {
            Inodes.Inode inode = _nodes[i].Resolve(key);
            id = inode.UnguardedId.IsKnown ? inode.UnguardedId : id;
            using Inodes.Inode.Hold hold = inode.Enter();
            string writes = string.Join(", ", (hold.Activity?.Writes ?? default).All().Select(o => $"{o.Kind} {o.Ticket}{(o.IsSent ? " sent" : string.Empty)}"));
            text.Append(System.Globalization.CultureInfo.InvariantCulture,
                $"    node{i} {_nodes[i].State} generation {_nodes[i].Engine.Session.Generation.Value} cap {hold.CapState} used {hold.Used} value {hold.ValueState} question {hold.Activity?.Question} due {hold.Activity?.QuestionDue} waits {hold.Activity?.Waiters.All().Count()} writes [{writes}] owned {hold.Activity?.Owned} settling {hold.Activity?.IsSettling} answer due {hold.Cap?.AnswerDue}\n");
        }

        _authority.Store.Inspect(record =>
        {
            if (record.Id == id)
            {
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"    record v{record.Version} owner {record.Owner} unsettled {record.IsUnsettled} requests [{string.Join(", ", record.Requests.Select(r => $"s{r.Session.Value} {r.Kind} {r.RequestId}"))}] holders [{string.Join(", ", record.Holders.Select(h => h.State.ToString()))}]");
            }
        });
        return text.ToString();
    }

    private async Task<string> AnswerAsync(CoherentCache<int, string> node, int key)
    {
        try
        {
            if (_scenario.AtSource)
            {
                string value = await node.GetOrCreateAsync(key, (_, _) => ValueTask.FromResult($"{Source.Read(key)}"));
                return value == $"{Source.Read(key)}" ? value : $"{value}, and the source says {Source.Read(key)}";
            }

            Lookup<string> found = await node.GetAsync(key);
            bool isCounter = key == _scenario.Keys;
            if (isCounter && !(found.IsHit && Counter.CanStandAt(long.Parse(found.Value, System.Globalization.CultureInfo.InvariantCulture))))
            {
                Violate("counter", key, $"{found} after {Counter.Acknowledged} increments and {Counter.Unknown} perhaps; twice: {Counter.Twice}");
            }

            // A value may end between two nodes' answers.
            return _scenario.ExpirationMilliseconds > 0 && !isCounter ? "any" : $"{found}";
        }
        catch (AuthorityUnavailableException)
        {
            return "no answer";
        }
    }

    private async Task NowAndThenAsync(int everyMilliseconds, Random random, TimeProvider time, Action fault)
    {
        while (everyMilliseconds > 0 && !IsEnding)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(2 * everyMilliseconds)), time);
            if (!IsEnding)
            {
                fault();
            }
        }
    }

    /// <summary>Nodes that fall silent for good, in both directions; a new one with clients of its own takes the place of each.</summary>
    private async Task DeathsAsync(Random random, TimeProvider time)
    {
        var clients = new List<Task>();
        for (int death = 0; death < _scenario.Deaths && !IsEnding; death++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1000 * _scenario.Seconds / (_scenario.Deaths + 1))), time);
            _links.Kill($"node{random.Next(_nodes.Count)}");
            clients.Add(StartClient(await AddNodeAsync(random), random, time));
        }

        await Task.WhenAll(clients);
    }

    /// <summary>Nodes that are disposed, with whatever they have not flushed; a new one with clients of its own takes the place of each.</summary>
    private async Task DeparturesAsync(Random random, TimeProvider time)
    {
        var clients = new List<Task>();
        for (int departure = 0; departure < _scenario.Departures && !IsEnding; departure++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1000 * _scenario.Seconds / (_scenario.Departures + 1))), time);
            int[] staying = [.. Staying()];
            int leaving = staying[random.Next(staying.Length)];
            _departed.Add(leaving);
            clients.Add(_nodes[leaving].DisposeAsync().AsTask());
            clients.Add(StartClient(await AddNodeAsync(random), random, time));
        }

        await Task.WhenAll(clients);
    }

    /// <summary>Opens one more node. Others may be opened meanwhile: its number is its own from the beginning.</summary>
    private async Task<int> AddNodeAsync(Random random)
    {
        while (_isOpening)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), _authority.TimeProvider);
        }

        _isOpening = true;
        _nodes.Add(await OpenNodeAsync(random));
        _isOpening = false;
        return _nodes.Count - 1;
    }

    private async Task SilenceAsync(Random random, TimeProvider time)
    {
        while (_scenario.SilenceEveryMilliseconds > 0 && !IsEnding)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(2 * _scenario.SilenceEveryMilliseconds)), time);
            string node = $"node{random.Next(_nodes.Count)}";
            LinkDirection[] directions = random.Next(3) switch
            {
                0 => [LinkDirection.ToNode],
                1 => [LinkDirection.ToAuthority],
                _ => [LinkDirection.ToNode, LinkDirection.ToAuthority],
            };
            bool isIsolated = _scenario.Isolates && directions.Length == 2 && !IsEnding;
            if (isIsolated)
            {
                _authority.Isolate(node);
                directions = [];
            }

            foreach (LinkDirection direction in directions)
            {
                _links.Silence(direction, node);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(_scenario.SilenceMilliseconds)), time);
            foreach (LinkDirection direction in directions)
            {
                _links.Restore(direction, node);
            }

            if (isIsolated)
            {
                _authority.Rejoin(node);
            }

            _authority.WakeLinks();
        }
    }

    /// <summary>What must hold at every moment: conflicting rights are never out together, counting those being revoked (CAP-01, P02).</summary>
    private void Sweep()
    {
        _authority?.Store.Inspect(record =>
        {
            if (record.Applied.Count > Authority.RecordFlushes.MaxEngines)
            {
                Violate("conservation", (int)record.Id.Value, $"the record remembers the flushes of {record.Applied.Count} engines");
            }

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
}
