using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>Takes in the authority's messages, in order. The only code that advances the lease.</summary>
internal sealed class InboundPump(PumpScheduler scheduler, Engine engine) : Pump(scheduler)
{
    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        if (engine.TryReset())
        {
            return true;
        }

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
        // Edge TICK-1 (release; other end: TICK-2): moved below the wake, the turn that it causes could find nothing due.
        Volatile.Write(ref _due, 1);
        Wake();
    }

    /// <inheritdoc/>
    public override bool TryRunOne()
    {
        // Edge TICK-2 (full fence; other end: TICK-1): taken before the work; moved below it, a tick that came meanwhile would be lost.
        if (Interlocked.Exchange(ref _due, 0) == 0)
        {
            return false;
        }

        engine.OnTick();
        return true;
    }
}
