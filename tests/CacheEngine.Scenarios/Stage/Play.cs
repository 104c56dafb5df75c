using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Scenarios.Print;
using CacheEngine.Sessions;

namespace CacheEngine.Scenarios.Stage;

/// <summary>
/// A transcript being played: the production code of an authority and its nodes in a world of one thread, what is printed of it, and the calls that are
/// not over.
/// </summary>
internal sealed class Play
{
    private const ulong HashSeed = 1;
    private const long LongestOpeningMilliseconds = 10_000;

    private readonly Setup _setup;
    private readonly EmbeddedAuthority _authority;
    private readonly LossyOpenings _openings;
    private readonly Dictionary<string, CoherentCache<string, string>> _nodes = [];
    private readonly Dictionary<SessionId, string> _nodesBySession = [];
    private readonly Dictionary<EngineId, string> _nodesByEngine = [];
    private readonly Dictionary<string, string> _told = [];
    private readonly List<Call> _calls = [];
    private readonly StateText _state;
    private long _refusedBefore;

    public Play(Setup setup)
    {
        _setup = setup;
        World = new World { AfterEach = Sweep };
        Trace = new Trace(World);
        Names = new Names(new KeyIdentity<string>(KeyCodec.For<string>(), HashSeed));
        Links = new Links(Trace, new MessageText(Names, setup.ShowsNumbers, setup.Quota is not null), setup);
        _state = new StateText(Names, setup.Quota is not null);
        var options = new EmbeddedAuthorityOptions
        {
            LeaseTerm = TimeSpan.FromMilliseconds(setup.TermMilliseconds),
            SessionTimeout = setup.TimeoutMilliseconds is { } timeout ? TimeSpan.FromMilliseconds(timeout) : null,
            CopyValues = setup.CopiesValues,
            TimeProvider = World.Time,
            Links = Links,
            CommitDelay = TimeSpan.FromMilliseconds(setup.CommitMilliseconds),
            Scheduler = World.Pumps,
        };
        options.Quota = setup.Quota ?? options.Quota;
        _authority = EmbeddedAuthority.Create(options);
        _openings = new LossyOpenings(_authority);
    }

    public World World { get; }

    public Trace Trace { get; }

    public Names Names { get; }

    public Links Links { get; }

    public EmbeddedAuthority Authority => _authority;

    public Source Source { get; } = new();

    /// <summary>Writes at the source that have begun and are not over, by node and key.</summary>
    public Dictionary<(string Node, string Key), CacheWrite<string, string>> Writes { get; } = [];

    /// <summary>Opens the nodes that <c>given</c> names. What that takes is not printed.</summary>
    public void Begin()
    {
        foreach (string name in _setup.Nodes)
        {
            Start($"open {name}", async _ => await OpenAsync(name));
            for (long waited = 0; !_nodes.ContainsKey(name) && waited < LongestOpeningMilliseconds; waited++)
            {
                World.Advance(waited == 0 ? 0 : 1);
            }
        }

        _calls.Clear();
        TellNodes();
        Trace.Begin();
    }

    public CoherentCache<string, string> Node(string name) =>
        _nodes.TryGetValue(name, out CoherentCache<string, string>? node) ? node : throw new FormatException($"There is no node '{name}'.");

    public void Start(string text, Func<CancellationToken, ValueTask<string>> operation)
    {
        var call = new Call(text, Names);
        _calls.Add(call);
        _ = call.RunAsync(Trace, operation);
    }

    /// <summary>Cancels the latest call whose command begins so.</summary>
    public void Cancel(string text) =>
        (_calls.FindLast(call => !call.IsOver && call.Text.StartsWith(text, StringComparison.Ordinal))
            ?? throw new FormatException($"No call '{text}' is under way.")).Cancel();

    public async ValueTask<string> OpenAsync(string name)
    {
        var options = new CoherentCacheOptions<string, string>
        {
            NodeName = name,
            HashSeed = HashSeed,
            Scheduler = World.Pumps,
            Placement = _setup.IsAtSource ? ValuePlacement.Source : ValuePlacement.Authority,
            RaiseFenceAsync = _setup.RaisesFence ? (key, fence, _) => Raise(name, key, fence) : null,
            MaxSourceWriteTime = Milliseconds(_setup.SourceWriteMilliseconds),
            OperationTimeout = TimeSpan.FromMilliseconds(_setup.PatienceMilliseconds),
            BreakTimeout = Milliseconds(_setup.BreakMilliseconds),
            SizeOf = _setup.Quota is null ? null : static value => value.Length,
        };
        options.WriteBackDelay = Milliseconds(_setup.WriteBackMilliseconds) ?? options.WriteBackDelay;
        options.MaxDirtyEntries = _setup.MaxDirty ?? options.MaxDirtyEntries;
        CoherentCache<string, string> node = await CoherentCache.OpenAsync(_openings, "region", options);
        node.WritesLost += (_, loss) => Trace.Add($"{name} has lost {Names.Loss(loss.Report)}");
        _nodes[name] = node;
        _nodesByEngine[node.Engine.Opening.Engine] = name;
        return "opened";
    }

    public void LoseNextOpening() => _openings.LosesNext = true;

    /// <summary>Everything that was printed since the last time, and what has changed.</summary>
    public List<string> Take()
    {
        Links.TellRenewals();
        TellNodes();
        foreach (string key in Names.Keys)
        {
            TellKey(key);
        }

        if (_authority.RefusedMessages != _refusedBefore)
        {
            Trace.Add($"authority refused {_authority.RefusedMessages - _refusedBefore}x");
            _refusedBefore = _authority.RefusedMessages;
        }

        _calls.RemoveAll(static call => call.IsOver);
        foreach (Call call in _calls)
        {
            Trace.Add($"{call.Text} => waits");
        }

        return Trace.Take();
    }

    /// <summary>Closes everything; what that prints nobody reads.</summary>
    public void End()
    {
        foreach (CoherentCache<string, string> node in _nodes.Values)
        {
            node.Dispose();
        }

        _ = _authority.DisposeAsync().AsTask();
        World.RunUntilQuiet();
    }

    private static TimeSpan? Milliseconds(long? milliseconds) => milliseconds is { } number ? TimeSpan.FromMilliseconds(number) : null;

    private ValueTask Raise(string node, string key, Fence fence)
    {
        Source.Raise(key, fence);
        Trace.Add($"{node} raises {Names.Fence(key, fence)} of {key} at the source");
        return default;
    }

    private void TellNodes()
    {
        foreach ((string name, CoherentCache<string, string> node) in _nodes)
        {
            if (node.Engine.Session.Link is { } link)
            {
                _nodesBySession.TryAdd(link.Id, name);
            }

            string session = node.Engine.Session.Link is { } open ? $" in {Names.Session(open.Id)}" : string.Empty;
            Tell($"{name} is", $"{node.State.ToString().ToLowerInvariant()}{session}");
        }
    }

    private void TellKey(string key)
    {
        _authority.Store.Inspect(record =>
        {
            if (Names.Key(record.Id) == key)
            {
                Tell($"  {key} at authority:", _state.Of(record, key, HoldingOf, engine => _nodesByEngine.GetValueOrDefault(engine, "?")));
            }
        });
        foreach ((string name, CoherentCache<string, string> node) in _nodes)
        {
            Inode<string, string> inode = node.Resolve(key);
            if (inode.HasCap && node.State != CacheState.Disposed)
            {
                Tell($"  {key} at {name}:", _state.Of(name, key, inode, node.Engine.Session, node.Engine.Clock.Now));
            }
        }
    }

    /// <summary>Prints a state if it is another than the one told last.</summary>
    private void Tell(string of, string state)
    {
        if (_told.GetValueOrDefault(of) != state)
        {
            _told[of] = state;
            Trace.Add($"{of} {state}");
        }
    }

    private Holding HoldingOf(SessionId session)
    {
        string name = _nodesBySession.GetValueOrDefault(session, "?");
        bool isLatest = _nodes.TryGetValue(name, out CoherentCache<string, string>? node) && node.Engine.Session.Link?.Id == session;
        return new Holding(name, isLatest ? name : $"{name}({Names.Session(session)})");
    }

    /// <summary>What must hold at every moment: conflicting rights are never out together, counting those being revoked (CAP-01, P02).</summary>
    private void Sweep() => _authority.Store.Inspect(static record =>
    {
        foreach (Holder left in record.Holders)
        {
            foreach (Holder right in record.Holders)
            {
                if (!ReferenceEquals(left, right) && !ConflictTable.Compatible(left.State.Implemented, right.State.Implemented))
                {
                    throw new InvalidOperationException($"Never together: {left.State} and {right.State}.");
                }
            }
        }
    });
}
