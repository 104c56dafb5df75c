using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>
/// What an authority asks of whatever keeps its records. Four things: the atomic transition of a record with a growing fence, a lossy doorbell, what each
/// session is owed, and an incarnation.
/// </summary>
/// <remarks>
/// <para>The unit is a batch of one session's messages: one call, and for a store far away one or two round trips, however many messages. Within a batch the
/// messages take effect in order and all together. Every call may fail with an exception of the store's own; then it may have taken effect or not, and the
/// caller repeats it unchanged: messages are told apart by their session's numbers, so a repetition has one effect and the same answer.</para>
/// <para>Decisions are not the store's: it runs <see cref="RecordArbiter"/> over a record that it holds still. Thread-safe; calls about one session come one at a
/// time, renewals apart.</para>
/// </remarks>
internal interface IRecordStore : IAsyncDisposable
{
    /// <summary>A value that changes whenever the store may have forgotten something.</summary>
    Arbitration.Incarnation Incarnation { get; }

    /// <summary>The lease terms of every session.</summary>
    LeaseTerms Terms { get; }

    /// <summary>Rung, with no lock held, when a session that was opened here may be owed something. May be rung in vain, or not at all.</summary>
    Action<SessionId>? Doorbell { get; set; }

    /// <summary>Rung, with no lock held, when <see cref="LookAsync"/> is to be called for a record at a given time of this process's clock.</summary>
    Action<InodeId, long>? LookAgain { get; set; }

    /// <summary>Opens a session. The identity's session before it is cut off: its rights last until the new session has claimed or given them up, or they have
    /// run out.</summary>
    /// <exception cref="InvalidOperationException">The region is in use with another shape.</exception>
    ValueTask<SessionId> OpenAsync(SessionOpening opening, CancellationToken cancellationToken);

    /// <summary>Takes messages of one session in, in order, and tells what it is owed behind <paramref name="after"/>.</summary>
    /// <param name="session">The session.</param>
    /// <param name="messages">Numbered by the session. A message that is not well formed, or out of order, is refused alone.</param>
    /// <param name="after">The last message that the caller has received.</param>
    /// <param name="owed">What the session is owed is added here, in order and without gaps.</param>
    /// <param name="cancellationToken">Ends the wait; the batch may take effect all the same.</param>
    ValueTask<SessionStanding> ApplyAsync(
        SessionId session, ReadOnlyMemory<ClientMessage> messages, MessageSeq after, List<AuthorityMessage> owed, CancellationToken cancellationToken);

    /// <summary>Tells what a session is owed behind <paramref name="after"/>: again and again, until a message of the session says that it was taken in.</summary>
    ValueTask<SessionStanding> FetchAsync(SessionId session, MessageSeq after, List<AuthorityMessage> owed, CancellationToken cancellationToken);

    /// <summary>Notes that a session was heard of, and tells what it is owed at that moment. May overtake the session's other calls.</summary>
    ValueTask<SessionStanding> RenewAsync(SessionId session, ClientMessage renewal, CancellationToken cancellationToken);

    /// <summary>Looks at a record because time has passed.</summary>
    ValueTask LookAsync(InodeId id, CancellationToken cancellationToken);

    /// <summary>Ends a session.</summary>
    /// <param name="session">The session; one that is over already stays over.</param>
    /// <param name="rightsAreOver">Whether its node serves nothing under it any more. If not, its rights last until they have provably run out.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask EndAsync(SessionId session, bool rightsAreOver, CancellationToken cancellationToken);

    /// <summary>Ends the sessions that this process has found silent for the session timeout, and those cut off whose rights have run out. Call it now and then:
    /// silence is what two calls see.</summary>
    ValueTask SweepAsync(CancellationToken cancellationToken);
}

/// <summary>How a session stands.</summary>
/// <param name="IsOpen">False: nothing more is taken in of it, and its node is to be told.</param>
/// <param name="OwedThrough">The last message that it is owed or was.</param>
/// <param name="Refused">How many messages of the batch were refused.</param>
internal readonly record struct SessionStanding(bool IsOpen, MessageSeq OwedThrough, int Refused = 0)
{
    public static readonly SessionStanding Over = default;
}
