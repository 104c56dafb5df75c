using System.Globalization;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Simulation;

/// <summary>
/// What must hold in every message of a node, whatever happens: the floor is below every flush that was not answered for good, a number names one flush for
/// ever, flushes of an object are numbered in order, and a new session begins with what was given back, then claims, then the rest.
/// </summary>
internal sealed class MessageTap(Run run, TextWriter? trace)
{
    private readonly Dictionary<string, NodeMessages> _nodes = [];

    /// <summary>How long after an eviction its claims are surely behind it.</summary>
    private const long EvictionMicroseconds = 50_000;

    /// <summary>A node was evicted: what it has had so far it cannot claim any more.</summary>
    public void Evicted(string node)
    {
        NodeMessages known = Of(node);
        foreach (CapId cap in known.Caps)
        {
            known.Evicted.TryAdd(cap, run.World.Now);
        }
    }

    /// <summary>The authority may have forgotten evictions.</summary>
    public void ForgetEvictions()
    {
        foreach (NodeMessages known in _nodes.Values)
        {
            known.Evicted.Clear();
            known.Refusable.Clear();
        }
    }

    public void Posted(string node, in ClientMessage message)
    {
        if (trace is not null)
        {
            Print(node, ">", $"s{message.Session.Value} {message} v{message.Version} {message.Payload.Kind}");
        }

        if (message.Kind is ClientMessageKind.Renew or ClientMessageKind.Close)
        {
            return;
        }

        NodeMessages known = Of(node);
        CheckRecovery(node, known, message);
        if (message.Kind == ClientMessageKind.Claim
            && known.Evicted.TryGetValue(message.Cap, out long evictedAt)
            && run.World.Now >= evictedAt + EvictionMicroseconds)
        {
            known.Refusable.Add(message.Cap);
        }

        if (message.Kind == ClientMessageKind.Flush)
        {
            CheckTid(node, known, message);
        }

        if (known.Unanswered.Count > 0 && (message.Floor.Value == 0 || message.Floor.Value > known.Unanswered.Keys.Min()))
        {
            run.Violate("floor", -1, $"{node} says {message} while {known.Unanswered.Keys.Min()} is not answered for good");
        }
    }

    public void TakenIn(string node, in ClientMessage message)
    {
        if (trace is not null)
        {
            Print(node, "taken in", $"s{message.Session.Value} {message} v{message.Version} {message.Payload.Kind}");
        }
    }

    public void Received(string node, in AuthorityMessage message)
    {
        if (trace is not null)
        {
            Print(node, "<", $"{message} durable {message.IsDurable} limit {message.VersionLimit} max {message.MaxSize}");
        }

        NodeMessages known = Of(node);
        if (message.Cap.Value != 0 && !message.Caps.IsEmpty)
        {
            known.Caps.Add(message.Cap);
            if (message.Kind == AuthorityMessageKind.Standing && known.Refusable.Contains(message.Cap))
            {
                run.Violate("evicted", -1, $"{node} has claimed what it was evicted from: {message}");
            }
        }

        if (message.Kind == AuthorityMessageKind.Flushed && message.IsDurable)
        {
            // The flushes of one object are applied in order.
            ulong tid = message.Tid.Value;
            InodeId inode = message.Inode;
            foreach (ulong earlier in known.Unanswered.Where(flush => flush.Key <= tid && flush.Value == inode).Select(flush => flush.Key).ToArray())
            {
                known.Unanswered.Remove(earlier);
            }
        }
        else if (message.Kind == AuthorityMessageKind.Refused && message.Tid.Value != 0)
        {
            known.Unanswered.Remove(message.Tid.Value);
        }
    }

    private void Print(string node, string direction, FormattableString message) => trace!.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"[{run.World.LastStamp}, {run.World.Now / 1000} ms] {node} {direction} {message.ToString(CultureInfo.InvariantCulture)}"));

    private NodeMessages Of(string node) => _nodes.TryGetValue(node, out NodeMessages? known) ? known : _nodes[node] = new NodeMessages();

    private void CheckTid(string node, NodeMessages known, in ClientMessage message)
    {
        ulong tid = message.Tid.Value;

        // A value that has ended since the flush was sent first has one version more, for its end.
        var content = new FlushContent(message.Inode, message.Version - (message.Payload.Kind == PayloadKind.None ? 1 : 0), message.Cap);
        if (!known.Flushes.TryAdd(tid, content))
        {
            if (known.Flushes[tid] != content)
            {
                run.Violate("tid", -1, $"{node} sends {known.Flushes[tid]} and {content} as {tid}");
            }
        }
        else
        {
            if (known.LastTid.GetValueOrDefault(message.Inode) > tid)
            {
                run.Violate("tid", -1, $"{node} sends {message} for the first time behind {known.LastTid[message.Inode]}");
            }

            known.LastTid[message.Inode] = tid;
            known.Unanswered.Add(tid, message.Inode);
        }
    }

    private void CheckRecovery(string node, NodeMessages known, in ClientMessage message)
    {
        if (message.Session != known.Session)
        {
            // A node's first session has nothing to claim; it may have ended without a word.
            known.IsRecovering = known.Session != default || message.Kind == ClientMessageKind.ClaimsDone;
            known.Session = message.Session;
            known.Claimed.Clear();
        }

        bool isEarly = known.IsRecovering;
        known.IsRecovering &= message.Kind != ClientMessageKind.ClaimsDone;
        bool isInOrder = message.Kind switch
        {
            ClientMessageKind.Claim => isEarly && known.Claimed.Add(message.Inode),
            ClientMessageKind.ClaimsDone => isEarly,
            ClientMessageKind.Flush when isEarly => !known.Claimed.Contains(message.Inode) && !message.Caps.Contains(CapSet.FileBuffer),
            _ => !isEarly,
        };
        if (!isInOrder)
        {
            run.Violate("recovery", -1, $"{node} says {message} {(isEarly ? "before" : "behind")} the end of its claims");
        }
    }

    private sealed class NodeMessages
    {
        public SessionId Session { get; set; }

        public bool IsRecovering { get; set; }

        public HashSet<InodeId> Claimed { get; } = [];

        public HashSet<CapId> Caps { get; } = [];

        /// <summary>What it had when it was evicted, and when that was.</summary>
        public Dictionary<CapId, long> Evicted { get; } = [];

        /// <summary>What it claims and must not get.</summary>
        public HashSet<CapId> Refusable { get; } = [];

        public Dictionary<ulong, FlushContent> Flushes { get; } = [];

        public Dictionary<InodeId, ulong> LastTid { get; } = [];

        /// <summary>The flushes that were sent and neither acknowledged for good nor refused.</summary>
        public Dictionary<ulong, InodeId> Unanswered { get; } = [];
    }

    private readonly record struct FlushContent(InodeId Inode, long Version, CapId Cap);
}
