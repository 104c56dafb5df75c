using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.PostgreSql.Store;

/// <summary>
/// The world as the arbiter sees it during one transaction: locked rows, and the effects, which are kept here until they are written with the records.
/// </summary>
/// <remarks>Every session that a decision may ask about is locked with the record, so what is seen of it stays true until the commit: a renewal comes either
/// before, and is counted, or after, and is told of what is owed by then.</remarks>
internal sealed class Transition(EngineClock clock, LeaseTerms terms, SizeQuota quota, Func<CapId> newCapId) : IRecordContext
{
    private RecordRow? _row;
    private long _lookAgainAt;

    public Dictionary<InodeId, RecordRow> Records { get; } = [];

    public Dictionary<SessionId, SessionRow> Sessions { get; } = [];

    /// <summary>What sessions have come to be owed, each session's in order.</summary>
    public List<AuthorityMessage> Owed { get; } = [];

    public List<(SessionId Session, InodeId Record)> NewlyTouched { get; } = [];

    /// <summary>The buffers that were taken, in order.</summary>
    public List<TakenBuffer> Taken { get; } = [];

    /// <summary>When each record that was looked at must be looked at again.</summary>
    public Dictionary<InodeId, long> LooksAgain { get; } = [];

    /// <summary>The database's wall clock less this process's clock, for the ends of values.</summary>
    public long UtcOffset { get; set; }

    /// <inheritdoc/>
    public Incarnation Incarnation { get; set; }

    /// <inheritdoc/>
    public long Now => clock.Now;

    /// <inheritdoc/>
    public LeaseTerms Terms => terms;

    /// <inheritdoc/>
    public SourceTerms Source => _row!.Source;

    /// <inheritdoc/>
    public SizeQuota Quota => quota;

    /// <inheritdoc/>
    /// <remarks>What is acknowledged was committed with it.</remarks>
    public bool IsVolatile => false;

    /// <summary>Applies an event.</summary>
    /// <returns>False when there is no such record, or the session may not speak of it.</returns>
    public bool TryApply(InodeId id, in RecordEvent what)
    {
        if (!Records.TryGetValue(id, out RecordRow? row)
            || (what.Kind == RecordEventKind.Message && !string.Equals(Sessions[what.Session].Region, row.Region, StringComparison.Ordinal)))
        {
            return false;
        }

        _row = row;
        _lookAgainAt = long.MaxValue;
        RecordArbiter.Apply(row.Record, what, this);
        LooksAgain[id] = _lookAgainAt;
        return true;
    }

    /// <inheritdoc/>
    public SessionView View(SessionId session) =>
        Sessions.TryGetValue(session, out SessionRow? row) ? row.View : new SessionView(0, default, HasEnded: true);

    /// <inheritdoc/>
    public EngineId EngineOf(SessionId session) => Sessions.TryGetValue(session, out SessionRow? row) ? row.Engine : default;

    /// <inheritdoc/>
    public void BufferTaken(RecordState record, SessionId session, long keptVersion) => Taken.Add(new TakenBuffer(
        record.Id, session, keptVersion, record.Version, record.Payload.Kind == PayloadKind.Bytes ? record.Payload.Bytes.ToArray() : null));

    /// <inheritdoc/>
    public MessageSeq Owe(SessionId session, ref AuthorityMessage message)
    {
        if (!Sessions.TryGetValue(session, out SessionRow? row) || row.State != SessionRowState.Open)
        {
            return default;
        }

        row.LastOwed = row.LastOwed.Next();
        row.IsOwedMore = true;
        message.Session = session;
        message.Sequence = row.LastOwed;
        Owed.Add(message);
        return message.Sequence;
    }

    /// <inheritdoc/>
    public CapId NewCapId() => newCapId();

    /// <inheritdoc/>
    public void Touched(RecordState record, SessionId session) => NewlyTouched.Add((session, record.Id));

    /// <inheritdoc/>
    public void LookAgain(RecordState record, long at) => _lookAgainAt = Math.Min(_lookAgainAt, at);
}
