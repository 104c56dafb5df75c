using System.Globalization;
using System.Text;
using CacheEngine.Checking;
using CacheEngine.Embedded;
using CacheEngine.Protocol;

namespace CacheEngine.Simulation;

/// <summary>
/// Every time that the authority took a buffer and gave its last value a new version, as the history wants it.
/// </summary>
/// <remarks>
/// The store tells it right after the transition, on the same thread and with nothing in between: two stamps taken then lie behind everything that was before
/// the transition and before everything that comes after it, as if they had been taken around it. The value is told with it, since the same transition may have
/// served somebody's write already. A restore that a crash of the authority forgets has not
/// happened: nobody was told of it.
/// </remarks>
internal sealed class Restores(World world, EmbeddedAuthority authority, Func<Inodes.InodeId, int> keyOf)
{
    private readonly List<(Inodes.InodeId Inode, HistoryEvent Event)> _events = [];

    public int Count => _events.Count;

    /// <summary>Listens to the store from now on, beside whoever listens already.</summary>
    public void Listen()
    {
        Action<BufferTaken>? next = authority.Store.BufferWasTaken;
        authority.Store.BufferWasTaken = taken =>
        {
            next?.Invoke(taken);
            Note(taken);
        };
    }

    /// <summary>The authority has forgotten its tail: what it does not know any more has not happened.</summary>
    public void ForgetCut()
    {
        var versions = new Dictionary<Inodes.InodeId, long>();
        authority.Store.Inspect(record => versions[record.Id] = record.Version);
        _events.RemoveAll(restore => versions[restore.Inode] < restore.Event.Version);
    }

    /// <summary>Writes them down, when everybody has heard of every object.</summary>
    public void AddTo(History history)
    {
        foreach ((Inodes.InodeId inode, HistoryEvent e) in _events)
        {
            history.Restored(keyOf(inode), e.Value, e.Version, e.LostAfter, e.Call, e.Return);
        }
    }

    private void Note(BufferTaken taken)
    {
        long value = taken.Kept.Kind == PayloadKind.None ? HistoryEvent.Absent : Number(taken.Kept);
        long call = world.NextStamp();
        var restore = new HistoryEvent(EventKind.Restore, -1, value, taken.Version, call, world.NextStamp(), HistoryEvent.Nobody) { LostAfter = taken.KeptVersion };
        _events.Add((taken.Inode, restore));
        world.Mix(taken.Version);
    }

    /// <summary>A value's id: it is its text, by reference or as bytes behind the one that says that it is not null.</summary>
    private static long Number(in Payload value) => long.Parse(
        value.Kind == PayloadKind.Reference ? (string)value.Reference! : Encoding.UTF8.GetString(value.Bytes.Span[1..]),
        CultureInfo.InvariantCulture);
}
