using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Scenarios.Print;

/// <summary>Whose session one is.</summary>
/// <param name="Node">The node.</param>
/// <param name="Label">The node, with the session's name if it has another by now.</param>
internal readonly record struct Holding(string Node, string Label);

/// <summary>
/// What the authority and a node think of a key, in one line each. Rights are printed <c>{issued/implemented}</c>, or once if both are the same.
/// </summary>
internal sealed class StateText(Names names, bool showsSizes)
{
    /// <param name="record">The authority's record; its gate is held.</param>
    /// <param name="key">Its key.</param>
    /// <param name="holding">The node of a session.</param>
    /// <param name="node">The node of an engine.</param>
    public string Of(RecordState record, string key, Func<SessionId, Holding> holding, Func<EngineId, string> node)
    {
        List<string> parts = [$"{names.Version(key, record.Version)} {(record.HasValue ? MessageText.Of(record.Payload) : "absent")}"];
        if (record.ExpiresAt != long.MaxValue)
        {
            parts.Add("ends");
        }

        if (record.Holders.Count > 0)
        {
            parts.Add($"holds {string.Join(' ', record.Holders.Select(holder => $"{holding(holder.State.Session).Label}{Of(holder.State.Issued, holder.State.Implemented)}"))}");
        }

        if (record.Requests.Count > 0)
        {
            parts.Add($"waits {string.Join(", ", record.Requests.Select(request => Of(request, holding(request.Session))))}");
        }

        if (record.Owner.IsOpen)
        {
            parts.Add($"owner {holding(record.Owner.Session).Label} {names.Fence(key, record.Owner.Fence)}");
        }

        if (record.Applied.Count > 0)
        {
            parts.Add($"applied {string.Join(' ', record.Applied.Select(applied => $"{node(applied.Engine)}:t{applied.Tid}"))}");
        }

        if (record.IsUnsettled)
        {
            parts.Add("unsettled");
        }

        return string.Join("; ", parts);
    }

    /// <param name="node">The node's name.</param>
    /// <param name="key">The key.</param>
    /// <param name="inode">What the node knows of it; the gate is not held.</param>
    /// <param name="session">The node's session.</param>
    /// <param name="now">The node's clock.</param>
    public string Of(string node, string key, Inode<string, string> inode, Session session, long now)
    {
        bool isServed = inode.Covers(Rights.Serve, session, now);
        string? value = inode.ReadValue();
        using Inode.Hold hold = inode.Enter();
        List<string> parts = [Held(hold, session), .. Value(hold, key, value, isServed)];
        parts.AddRange(WriteBack(hold, key));
        if (hold.Activity is { } activity)
        {
            parts.AddRange(Activity(node, key, activity));
        }

        return string.Join("; ", parts);
    }

    private string Of(in RequestState request, in Holding holding) =>
        $"{request.Kind} {names.Request(holding.Node, request.RequestId)} of {holding.Label}";

    private static string Held(in Inode.Hold hold, Session session)
    {
        CapState cap = hold.CapState;
        return cap.Id.Value != 0 && cap.Generation != session.Generation ? "{lost}" : Of(cap.Issued, cap.Implemented);
    }

    private static string Of(CapSet issued, CapSet implemented) => issued == implemented ? $"{{{issued}}}" : $"{{{issued}/{implemented}}}";

    private IEnumerable<string> Value(Inode.Hold hold, string key, string? value, bool isServed) => hold.ValueState switch
    {
        ValueState.Present => [$"{names.Version(key, hold.ValueVersion)} {MessageText.Quote(value)} {(isServed && hold.IsServable ? "served" : "kept")}"],
        ValueState.Unconfirmed => [$"{names.Version(key, hold.ValueVersion)} {MessageText.Quote(value)} unconfirmed"],
        ValueState.Absent => [$"{names.Version(key, hold.ValueVersion)} absent"],
        _ => [],
    };

    /// <summary>What is kept back, what is being flushed, and how large a value may be kept back.</summary>
    private List<string> WriteBack(Inode.Hold hold, string key)
    {
        List<string> parts = [];
        if (hold.Cap?.Buffer is not { } buffer)
        {
            return parts;
        }

        if (buffer.Dirty is { } dirty)
        {
            parts.Add($"dirty {names.Version(key, dirty.Version)}");
        }

        for (FlushRecord? at = buffer.Flushing.Head; at is not null; at = at.NextInInode)
        {
            parts.Add($"flushing t{at.Tid}{{{at.Bits} {names.Version(key, at.Version)} {at.Phase.ToString().ToLowerInvariant()}}}");
        }

        if (showsSizes && hold.CapState.Issued.Contains(CapSet.FileBuffer))
        {
            parts.Add($"room {buffer.MaxSize}{(buffer.WantedSize == 0 ? string.Empty : $", wishes {buffer.WantedSize}")}");
        }

        return parts;
    }

    private IEnumerable<string> Activity(string node, string key, InodeActivity activity)
    {
        if (!activity.Waiters.IsEmpty)
        {
            yield return $"waits {string.Join(", ", activity.Waiters.All().Select(static waiter => waiter.Kind))}";
        }

        if (activity.Question != 0)
        {
            yield return $"asks {activity.QuestionKind}{(activity.QuestionDue ? " unsent" : $" {names.Request(node, activity.Question)}")}";
        }

        if (!activity.Writes.IsEmpty)
        {
            yield return $"changes {string.Join(", ", activity.Writes.All().Select(change => change.IsSent ? $"{change.Kind} {names.Request(node, change.Ticket)}" : $"{change.Kind} unsent"))}";
        }

        if (activity.Flight is { } flight)
        {
            yield return $"load {flight.Phase}";
        }

        if (activity.Owned.IsOpen)
        {
            yield return $"owner {names.Fence(key, activity.Owned.Fence)}{(activity.IsSettling ? " settling" : string.Empty)}";
        }
    }
}
