namespace CacheEngine.Tests.Checking;

/// <summary>
/// A small cluster with write-back that does nothing wrong, and writes down what its clients see.
/// </summary>
/// <remarks>
/// Every step takes effect at a moment of its own, somewhere between its call and its return, so that the operations of a history overlap. A node
/// that holds a key gives versions by itself. It flushes all or a part of what it has, when it likes and when another node asks for the key. A node may
/// die with all that it knows, or be cut off: then it goes on with the keys that it holds, until another node asks for one, which makes the authority
/// restore what it has; what is lost by it is told once the node hears of it.
/// </remarks>
internal sealed class WriteBackModel
{
    public const int Keys = 3;
    private const int NodesAlive = 3;
    private const int ClientsPerNode = 3;
    private const int Jitter = 60;

    private readonly Random _random;
    private readonly History _history = new();
    private readonly List<Node> _nodes = [];
    private readonly HashSet<long> _untold = [];
    private readonly Entry[] _entries = [.. Enumerable.Range(0, Keys).Select(key => new Entry { Number = key })];
    private long _now;
    private long _lastValue;

    private WriteBackModel(int seed) => _random = new Random(seed);

    public List<ToldLoss> Reports { get; } = [];

    public HashSet<int> DeadNodes { get; } = [];

    public List<HistoryEvent> Events { get; private set; } = [];

    public static WriteBackModel Run(int seed, int steps)
    {
        var model = new WriteBackModel(seed);
        for (int i = 0; i < NodesAlive; i++)
        {
            model.AddNode();
        }

        for (int i = 0; i < steps; i++)
        {
            model.Step();
        }

        foreach (Entry entry in model._entries)
        {
            model.Settle(entry, asker: null);
        }

        model.Events = model._history.Events();
        return model;
    }

    private void AddNode()
    {
        int number = _nodes.Count;
        _nodes.Add(new Node(number, [.. Enumerable.Range(0, ClientsPerNode).Select(_ => new Client(_history.AddClient(Keys, number)))]));
    }

    private void Step()
    {
        _now += 10;
        Node[] alive = [.. _nodes.Where(node => !node.IsDead)];
        Node node = alive[_random.Next(alive.Length)];
        Client client = node.Clients[_random.Next(ClientsPerNode)];
        Entry entry = _entries[_random.Next(Keys)];
        if (client.BusyUntil >= _now || (node.IsCut && entry.Holder != node))
        {
            return;
        }

        switch (_random.Next(100))
        {
            case < 35:
                Read(node, client, entry);
                break;
            case < 58:
                Buffer(node, client, entry, ++_lastValue, isUpdate: false);
                break;
            case < 65:
                Buffer(node, client, entry, ++_lastValue, isUpdate: true);
                break;
            case < 68:
                Buffer(node, client, entry, HistoryEvent.Absent, isUpdate: false);
                break;
            case < 74:
                WriteThrough(node, client, entry, isUpdate: false);
                break;
            case < 78:
                WriteThrough(node, client, entry, isUpdate: true);
                break;
            case < 86:
                Load(node, client, entry);
                break;
            case < 94:
                Flush(node, client, entry);
                break;
            case < 97:
                node.IsCut = true;
                break;
            default:
                Die(node, client, entry);
                break;
        }
    }

    private void Read(Node node, Client client, Entry entry)
    {
        Settle(entry, node);
        Log(client, entry, node);
    }

    private void Log(Client client, Entry entry, Node node)
    {
        (long value, long version) = entry.SeenBy(node);
        (long call, long @return) = Around(client);
        bool isTold = value == HistoryEvent.Absent || (!_untold.Contains(value) && _random.Next(3) > 0);
        client.Log.Read(entry.Number, value, isTold ? version : HistoryEvent.Unversioned, call, @return);
    }

    private void Buffer(Node node, Client client, Entry entry, long value, bool isUpdate)
    {
        Hold(entry, node);
        long basedOn = entry.Buffered.Value;
        entry.Write(value, Gap());
        (long call, long @return) = Around(client);
        bool hasBase = isUpdate && basedOn != HistoryEvent.Absent;
        client.Log.Buffer(entry.Number, value, entry.Buffered.Version, call, @return, hasBase ? basedOn : null);
    }

    private void WriteThrough(Node node, Client client, Entry entry, bool isUpdate)
    {
        if (node.IsCut)
        {
            return;
        }

        Settle(entry, node);
        (long old, long version) = entry.SeenBy(node);
        entry.Store(++_lastValue, version + Gap());
        (long call, long @return) = Around(client);
        if (isUpdate && old != HistoryEvent.Absent)
        {
            client.Log.Update(entry.Number, entry.Kept.Value, entry.Kept.Version, old, call, @return);
        }
        else
        {
            client.Log.Write(entry.Number, entry.Kept.Value, entry.Kept.Version, call, @return);
        }
    }

    /// <summary>What a factory made is buffered like a write, but nobody is told its version.</summary>
    private void Load(Node node, Client client, Entry entry)
    {
        Hold(entry, node);
        if (entry.Buffered.Value == HistoryEvent.Absent)
        {
            _untold.Add(++_lastValue);
            entry.Write(_lastValue, Gap());
            client.Log.Load(entry.Number, _lastValue, _now - 1, _now);
        }

        Log(client, entry, node);
    }

    private void Flush(Node node, Client client, Entry entry)
    {
        if (node.IsCut || entry.Holder != node || entry.Unflushed.Count == 0)
        {
            return;
        }

        entry.Flush(_random.Next(entry.Unflushed.Count) + 1);
        if (_random.Next(3) > 0)
        {
            (long call, long @return) = Around(client);
            client.Log.Flushed(entry.Number, entry.Kept.Version, call, @return);
        }
    }

    /// <summary>Sometimes in the middle of a write, which nobody hears of except those who read it.</summary>
    private void Die(Node node, Client client, Entry entry)
    {
        if (_random.Next(2) == 0)
        {
            Hold(entry, node);
            entry.Write(++_lastValue, Gap());
            _untold.Add(_lastValue);
            (long call, _) = Around(client);
            client.Log.Buffer(entry.Number, _lastValue, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
            if (node.Clients.FirstOrDefault(other => other.BusyUntil < _now) is { } reader)
            {
                Log(reader, entry, node);
            }
        }

        node.IsDead = true;
        DeadNodes.Add(node.Number);
        AddNode();
    }

    private void Hold(Entry entry, Node node)
    {
        Settle(entry, node);
        entry.Holder = node;
        entry.Buffered = entry.Unflushed.Count == 0 ? entry.Kept : entry.Buffered;
    }

    /// <summary>The right of another node than the asker comes back to the authority, with what it wrote if it can.</summary>
    private void Settle(Entry entry, Node? asker)
    {
        if (entry.Holder is not { } holder || holder == asker)
        {
            return;
        }

        if (holder.IsDead || holder.IsCut)
        {
            Restore(entry, holder);
        }
        else
        {
            entry.Flush(entry.Unflushed.Count);
        }

        entry.Holder = null;
        holder.IsCut &= _entries.Any(other => other.Holder == holder);
        _now += 10;
    }

    private void Restore(Entry entry, Node holder)
    {
        if (!holder.IsDead && entry.Unflushed.Count > 0)
        {
            Reports.Add(new ToldLoss(holder.Number, entry.Number, entry.Unflushed[0].Version, entry.Unflushed[^1].Version));
        }

        (long value, long lostAfter) = entry.Kept;
        entry.Store(value, entry.SeenBy(holder).Version + Gap());
        long @return = _random.Next(8) == 0 ? HistoryEvent.Pending : _now + _random.Next(Jitter);
        _history.Restored(entry.Number, value, entry.Kept.Version, lostAfter, _now - _random.Next(Jitter), @return);
    }

    private (long Call, long Return) Around(Client client)
    {
        long call = Math.Max(client.BusyUntil + 1, _now - _random.Next(Jitter));
        client.BusyUntil = _now + _random.Next(Jitter);
        return (call, client.BusyUntil);
    }

    private int Gap() => 1 + (_random.Next(3) == 0 ? _random.Next(4) : 0);

    private sealed class Client(ClientLog log)
    {
        public ClientLog Log { get; } = log;

        public long BusyUntil { get; set; }
    }

    private sealed class Node(int number, Client[] clients)
    {
        public int Number { get; } = number;

        public Client[] Clients { get; } = clients;

        public bool IsDead { get; set; }

        public bool IsCut { get; set; }
    }

    /// <summary>One key: what the authority has, and what its holder has written since.</summary>
    private sealed class Entry
    {
        public required int Number { get; init; }

        public (long Value, long Version) Kept { get; private set; }

        public (long Value, long Version) Buffered { get; set; }

        public List<(long Value, long Version)> Unflushed { get; } = [];

        public Node? Holder { get; set; }

        public (long Value, long Version) SeenBy(Node node) => Holder == node && Unflushed.Count > 0 ? Buffered : Kept;

        public void Write(long value, int gap)
        {
            Buffered = (value, Buffered.Version + gap);
            Unflushed.Add(Buffered);
        }

        public void Store(long value, long version)
        {
            Kept = (value, version);
            Unflushed.Clear();
        }

        public void Flush(int count)
        {
            if (count > 0)
            {
                Kept = Unflushed[count - 1];
                Unflushed.RemoveRange(0, count);
            }
        }
    }
}
