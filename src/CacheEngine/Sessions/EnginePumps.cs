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

/// <summary>Takes in the authority's messages, in order. The only code that advances the lease.</summary>
internal sealed class InboundPump(PumpScheduler scheduler, Engine engine) : Pump(scheduler)
{
    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        ISessionLink? link = engine.Session.Link;
        if (link is null)
        {
            return false;
        }

        if (link.TryReceiveRenewal(out AuthorityMessage renewal))
        {
            engine.TakeInRenewal(renewal, link);
            return true;
        }

        if (link.TryReceive(out AuthorityMessage message))
        {
            engine.TakeIn(message, link);
            return true;
        }

        return engine.TryTimeOut();
    }
}

/// <summary>Does what time demands: renews the lease, ends operations that waited too long, notices that the machine stood still.</summary>
internal sealed class TimerPump(PumpScheduler scheduler, Engine engine) : Pump(scheduler)
{
    private int _due;

    /// <summary>The timer's callback: only posts.</summary>
    public void Tick()
    {
        Volatile.Write(ref _due, 1);
        Wake();
    }

    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        if (Interlocked.Exchange(ref _due, 0) == 0)
        {
            return false;
        }

        engine.OnTick();
        return true;
    }
}
