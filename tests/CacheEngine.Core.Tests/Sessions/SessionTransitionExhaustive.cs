using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

/// <summary>Every phase with every event.</summary>
public class SessionTransitionExhaustive
{
    private const SessionEffects None = SessionEffects.None;
    private const SessionEffects LoseAndReopen = SessionEffects.Suspend | SessionEffects.Reopen;
    private const SessionEffects BeginAnew = SessionEffects.CloseLink | SessionEffects.GiveUp | SessionEffects.Reopen;

    // Rows are phases in their order, columns events: opened, recovered, lapsed, regained, lost, refused, reset, stop begun, stopped.
    private static readonly (SessionPhase To, SessionEffects Effects)[][] Table =
    [
        [
            (SessionPhase.Open, None), Stay(SessionPhase.Opening), Stay(SessionPhase.Opening), Stay(SessionPhase.Opening), Stay(SessionPhase.Opening),
            (SessionPhase.Rejected, None), Stay(SessionPhase.Opening), (SessionPhase.Closed, None), Stay(SessionPhase.Opening),
        ],
        [
            Stay(SessionPhase.Open), Stay(SessionPhase.Open), (SessionPhase.Stale, None), (SessionPhase.Open, SessionEffects.Reconsider),
            (SessionPhase.Reconnecting, LoseAndReopen), Stay(SessionPhase.Open), (SessionPhase.Reconnecting, BeginAnew), (SessionPhase.Closing, None),
            Stay(SessionPhase.Open),
        ],
        [
            Stay(SessionPhase.Stale), Stay(SessionPhase.Stale), Stay(SessionPhase.Stale), (SessionPhase.Open, SessionEffects.Reconsider),
            (SessionPhase.Reconnecting, LoseAndReopen), Stay(SessionPhase.Stale), (SessionPhase.Reconnecting, BeginAnew), (SessionPhase.Closing, None),
            Stay(SessionPhase.Stale),
        ],
        [
            (SessionPhase.Reconnecting, SessionEffects.Recover), (SessionPhase.Open, SessionEffects.Reconsider), Stay(SessionPhase.Reconnecting),
            (SessionPhase.Reconnecting, SessionEffects.Reconsider), (SessionPhase.Reconnecting, LoseAndReopen), (SessionPhase.Rejected, SessionEffects.GiveUp),
            (SessionPhase.Reconnecting, BeginAnew), (SessionPhase.Closing, None), Stay(SessionPhase.Reconnecting),
        ],
        [
            Stay(SessionPhase.Rejected), Stay(SessionPhase.Rejected), Stay(SessionPhase.Rejected), Stay(SessionPhase.Rejected), Stay(SessionPhase.Rejected),
            Stay(SessionPhase.Rejected), (SessionPhase.Reconnecting, BeginAnew), (SessionPhase.Closing, None), Stay(SessionPhase.Rejected),
        ],
        [
            (SessionPhase.Closing, SessionEffects.Recover), (SessionPhase.Closing, SessionEffects.Reconsider), Stay(SessionPhase.Closing),
            (SessionPhase.Closing, SessionEffects.Reconsider), (SessionPhase.Closing, LoseAndReopen), (SessionPhase.Closing, SessionEffects.GiveUp),
            (SessionPhase.Closing, SessionEffects.CloseLink | SessionEffects.GiveUp), Stay(SessionPhase.Closing), (SessionPhase.Closed, SessionEffects.GiveUp | SessionEffects.CloseLink),
        ],
        [
            (SessionPhase.Closed, SessionEffects.CloseLink), Stay(SessionPhase.Closed), Stay(SessionPhase.Closed), Stay(SessionPhase.Closed), Stay(SessionPhase.Closed),
            Stay(SessionPhase.Closed), Stay(SessionPhase.Closed), Stay(SessionPhase.Closed), Stay(SessionPhase.Closed),
        ],
    ];

    [Fact]
    [Rule("T58", "T61", "T62")]
    public void Decide_EveryPhaseWithEveryEvent_IsTheTable()
    {
        Assert.Equal(Enum.GetValues<SessionPhase>().Length, Table.Length);
        foreach (SessionPhase phase in Enum.GetValues<SessionPhase>())
        {
            Assert.Equal(Enum.GetValues<SessionEvent>().Length, Table[(int)phase].Length);
            foreach (SessionEvent what in Enum.GetValues<SessionEvent>())
            {
                SessionTransition decided = SessionTransition.Decide(phase, what);
                Assert.True((decided.To, decided.Effects) == Table[(int)phase][(int)what], $"{phase} and {what}: {decided}");
            }
        }
    }

    [Fact]
    public void Decide_ClosedIsForEver_AndEveryPhaseCanBeStopped()
    {
        foreach (SessionEvent what in Enum.GetValues<SessionEvent>())
        {
            Assert.Equal(SessionPhase.Closed, SessionTransition.Decide(SessionPhase.Closed, what).To);
        }

        foreach (SessionPhase phase in Enum.GetValues<SessionPhase>())
        {
            SessionPhase stopping = SessionTransition.Decide(phase, SessionEvent.StopBegun).To;
            Assert.Equal(SessionPhase.Closed, SessionTransition.Decide(stopping, SessionEvent.Stopped).To);
        }
    }

    /// <summary>A right that may have been given to others is never used again unconfirmed: whoever loses a session suspends its rights or gives them up.</summary>
    [Fact]
    [Rule("P10")]
    public void Decide_WhateverAsksForANewSession_SuspendsOrGivesUpTheOldRights()
    {
        foreach (SessionPhase phase in Enum.GetValues<SessionPhase>())
        {
            foreach (SessionEvent what in Enum.GetValues<SessionEvent>())
            {
                SessionTransition decided = SessionTransition.Decide(phase, what);
                Assert.True(!decided.Has(SessionEffects.Reopen) || decided.Has(SessionEffects.Suspend) || decided.Has(SessionEffects.GiveUp), $"{phase} and {what}");
            }
        }
    }

    private static (SessionPhase To, SessionEffects Effects) Stay(SessionPhase phase) => (phase, None);
}
