namespace CacheEngine.Sessions;

/// <summary>Where a node stands with its authority, over all the sessions that it opens one after the other.</summary>
internal enum SessionPhase : byte
{
    /// <summary>The first session has been asked for.</summary>
    Opening,

    /// <summary>A session is open and its lease valid.</summary>
    Open,

    /// <summary>A session is open and its lease has run out: nothing is served until a renewal is answered.</summary>
    Stale,

    /// <summary>The session was lost. The next one is asked for, or is open and what the node still has is being claimed in it.</summary>
    Reconnecting,

    /// <summary>The authority will never open a session for this node again.</summary>
    Rejected,

    /// <summary>The node is stopping: nothing new is begun, what is dirty is flushed.</summary>
    Closing,

    /// <summary>It is over.</summary>
    Closed,
}

/// <summary>What happens to a node's standing.</summary>
internal enum SessionEvent : byte
{
    /// <summary>A session has been taken into use.</summary>
    Opened,

    /// <summary>Everything that was worth it has been claimed in it.</summary>
    Recovered,

    /// <summary>The lease has run out.</summary>
    Lapsed,

    /// <summary>A renewal was answered after the lease had run out.</summary>
    Regained,

    /// <summary>The session is over: by the authority's word, its long silence, or a message that cannot be understood.</summary>
    Lost,

    /// <summary>The authority refuses to open a session, for good.</summary>
    Refused,

    /// <summary>An operator wants to begin anew, with nothing of before.</summary>
    Reset,

    /// <summary>The cache is being disposed.</summary>
    StopBegun,

    /// <summary>The stop has done what it could.</summary>
    Stopped,
}

/// <summary>What a transition does beside changing the phase.</summary>
[Flags]
internal enum SessionEffects : byte
{
    None = 0,

    /// <summary>Rights are not used until they are confirmed; requests that were sent end with an unknown outcome, others wait for the next session.</summary>
    Suspend = 1,

    /// <summary>The next session is asked for, unless that is under way.</summary>
    Reopen = 2,

    /// <summary>Claims and what was not acknowledged are sent, before anything else.</summary>
    Recover = 4,

    /// <summary>Whoever waits is considered again.</summary>
    Reconsider = 8,

    /// <summary>Whoever waits is told that nothing will come of it, and what is dirty is reported as lost.</summary>
    GiveUp = 16,

    /// <summary>The session, open or offered, is closed by this node's own will; its goodbye leaves when nothing is used under it any more.</summary>
    CloseLink = 32,
}

/// <summary>The table of a node's standing: every phase with every event.</summary>
internal readonly record struct SessionTransition(SessionPhase To, SessionEffects Effects)
{
    private const SessionEffects LoseAndReopen = SessionEffects.Suspend | SessionEffects.Reopen;

    /// <summary>Whether the effect is among those decided; unlike Enum.HasFlag on a byte, it boxes nothing.</summary>
    public bool Has(SessionEffects effect) => (Effects & effect) != 0;

    public static SessionTransition Decide(SessionPhase from, SessionEvent what) => (from, what) switch
    {
        (SessionPhase.Opening, SessionEvent.Opened) => new(SessionPhase.Open, SessionEffects.None),
        (SessionPhase.Opening, SessionEvent.Refused) => new(SessionPhase.Rejected, SessionEffects.None),

        (SessionPhase.Open, SessionEvent.Lapsed) => new(SessionPhase.Stale, SessionEffects.None),
        (SessionPhase.Open, SessionEvent.Regained) => new(SessionPhase.Open, SessionEffects.Reconsider),
        (SessionPhase.Stale, SessionEvent.Regained) => new(SessionPhase.Open, SessionEffects.Reconsider),
        (SessionPhase.Open or SessionPhase.Stale, SessionEvent.Lost) => new(SessionPhase.Reconnecting, LoseAndReopen),

        (SessionPhase.Reconnecting, SessionEvent.Opened) => new(SessionPhase.Reconnecting, SessionEffects.Recover),
        (SessionPhase.Reconnecting, SessionEvent.Recovered) => new(SessionPhase.Open, SessionEffects.Reconsider),
        (SessionPhase.Reconnecting, SessionEvent.Regained) => new(SessionPhase.Reconnecting, SessionEffects.Reconsider),
        (SessionPhase.Reconnecting, SessionEvent.Lost) => new(SessionPhase.Reconnecting, LoseAndReopen),
        (SessionPhase.Reconnecting, SessionEvent.Refused) => new(SessionPhase.Rejected, SessionEffects.GiveUp),

        (SessionPhase.Open or SessionPhase.Stale or SessionPhase.Reconnecting or SessionPhase.Rejected, SessionEvent.Reset) =>
            new(SessionPhase.Reconnecting, SessionEffects.CloseLink | SessionEffects.GiveUp | SessionEffects.Reopen),

        (SessionPhase.Opening, SessionEvent.StopBegun) => new(SessionPhase.Closed, SessionEffects.None),
        (SessionPhase.Open or SessionPhase.Stale or SessionPhase.Reconnecting or SessionPhase.Rejected, SessionEvent.StopBegun) =>
            new(SessionPhase.Closing, SessionEffects.None),

        // What is dirty is flushed for as long as the stop allows, over lost sessions too.
        (SessionPhase.Closing, SessionEvent.Opened) => new(SessionPhase.Closing, SessionEffects.Recover),
        (SessionPhase.Closing, SessionEvent.Recovered or SessionEvent.Regained) => new(SessionPhase.Closing, SessionEffects.Reconsider),
        (SessionPhase.Closing, SessionEvent.Lost) => new(SessionPhase.Closing, LoseAndReopen),
        (SessionPhase.Closing, SessionEvent.Refused) => new(SessionPhase.Closing, SessionEffects.GiveUp),
        (SessionPhase.Closing, SessionEvent.Reset) => new(SessionPhase.Closing, SessionEffects.CloseLink | SessionEffects.GiveUp),
        (SessionPhase.Closing, SessionEvent.Stopped) => new(SessionPhase.Closed, SessionEffects.GiveUp | SessionEffects.CloseLink),

        (SessionPhase.Closed, SessionEvent.Opened) => new(SessionPhase.Closed, SessionEffects.CloseLink),

        _ => new(from, SessionEffects.None),
    };
}
