using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>
/// Sends what is owed: takes the outbox's entries, asks each what it owes now, numbers the message and posts it.
/// </summary>
/// <remarks>
/// A newly opened session is taken into use here and nowhere else, so that no message is built for one session and sent under the next. A session
/// may be lost at any moment, though: an entry that finds it lost stays owed.
/// </remarks>
internal sealed class OutboundPump(PumpScheduler scheduler, Outbox outbox, Session session, Action onOpened) : Pump(scheduler)
{
    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        if (session.TryOpenOffered())
        {
            onOpened();
            return true;
        }

        // Without a link the debts stay where they are; the next opening wakes this pump.
        ISessionLink? link = session.Link;
        if (link is null || !outbox.TryTake(out OutboxEntry? entry))
        {
            return false;
        }

        if (entry!.TryBuild(new Sending(session, link, outbox), out ClientMessage message))
        {
            session.Stamp(ref message, link);
            link.Post(message);
        }

        return true;
    }
}

/// <summary>What an entry needs to know while it writes its message: whether the session it is for still stands, and where to wait if not.</summary>
internal readonly struct Sending(Session session, ISessionLink link, Outbox outbox)
{
    /// <summary>False once the session is lost. Asked under the inode's gate: what is built before the loss is swept under that gate after it.</summary>
    public bool IsCurrent => ReferenceEquals(session.Link, link);

    public Outbox Outbox => outbox;

    /// <summary>Whether the message goes to that very session.</summary>
    public bool IsFor(SessionId id) => IsCurrent && link.Id == id;
}
