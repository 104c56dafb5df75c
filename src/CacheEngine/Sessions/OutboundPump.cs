using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>Sends what is owed: takes the outbox's entries, asks each what it owes now, numbers the message and posts it.</summary>
internal sealed class OutboundPump(PumpScheduler scheduler, Outbox outbox, Session session) : Pump(scheduler)
{
    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        // Without a link the debts stay where they are; the next opening wakes this pump.
        ISessionLink? link = session.Link;
        if (link is null || !outbox.TryTake(out OutboxEntry? entry))
        {
            return false;
        }

        if (entry!.TryBuild(out ClientMessage message))
        {
            session.Stamp(ref message, link);
            link.Post(message);
        }

        return true;
    }
}
