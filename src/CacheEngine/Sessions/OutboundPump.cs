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
internal sealed class OutboundPump(
    PumpScheduler scheduler, Outbox outbox, Session session, EngineClock clock, Recovery recovery, Action onOpened, Action<ISessionLink> onRecovered) : Pump(scheduler)
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
        if (link is null)
        {
            return false;
        }

        var sending = new Sending(session, link, outbox, clock.Now);
        ClientMessage message;
        if (recovery.IsUnderWay)
        {
            // Nothing else of an object may come before what is said of it here.
            if (recovery.TryRunOne(sending, out message))
            {
                Post(ref message, link);
            }

            if (!recovery.IsUnderWay)
            {
                onRecovered(link);
            }

            return true;
        }

        if (!outbox.TryTake(out OutboxEntry? entry))
        {
            return false;
        }

        if (entry!.TryBuild(sending, out message))
        {
            Post(ref message, link);
        }

        return true;
    }

    private void Post(ref ClientMessage message, ISessionLink link)
    {
        session.Stamp(ref message, link);
        link.Post(message);
    }
}

/// <summary>What an entry needs to know while it writes its message: whether the session it is for still stands, and where to wait if not.</summary>
internal readonly struct Sending(Session session, ISessionLink link, Outbox outbox, long now)
{
    /// <summary>False once the session is lost. Asked under the inode's gate: what is built before the loss is swept under that gate after it.</summary>
    public bool IsCurrent => ReferenceEquals(session.Link, link);

    public Outbox Outbox => outbox;

    public SessionGeneration Generation => session.Generation;

    /// <summary>Whether a value's time is over.</summary>
    public bool HasEnded(long expiresAt) => expiresAt <= now;

    /// <summary>How long the authority keeps a value that ends here at a given time: not less, on any clock. Zero: for ever.</summary>
    public long TimeToLive(long expiresAt) => expiresAt == long.MaxValue ? 0 : link.Terms.AtMostElsewhere(expiresAt - now);

    /// <summary>Whether the message goes to that very session.</summary>
    public bool IsFor(SessionId id) => IsCurrent && link.Id == id;
}
