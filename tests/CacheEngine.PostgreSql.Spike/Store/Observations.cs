using System.Collections.Concurrent;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Store;

/// <summary>
/// When this process first saw something that has not changed since, on its own monotonic clock: how silence is measured between processes that trust no
/// clock but their own.
/// </summary>
/// <remarks>
/// What was first seen now cannot have happened later. So a right that was renewed at the latest then has run out one term and margin after it, if the count of
/// renewals is still the same under the session row's lock. Seen later than it happened, it only makes the wait longer; so whatever is forgotten here is safe.
/// </remarks>
internal sealed class Observations
{
    /// <summary>In milliseconds: a day, the greatest value of the option MaxSourceWriteTime.</summary>
    private const long LongestSourceWrite = 86_400_000;

    private readonly ConcurrentDictionary<SessionId, (long Renewals, long Since)> _sessions = new();
    private readonly ConcurrentDictionary<(InodeId Record, SessionId Holder), (MessageSeq Revoke, long Since)> _revokes = new();
    private readonly ConcurrentDictionary<InodeId, (long Fence, long Since)> _unsettled = new();

    /// <summary>Since when a session's count of renewals has been this one, as far as this process knows.</summary>
    public long OfSession(SessionId session, long renewals, long now) =>
        _sessions.AddOrUpdate(
            session,
            static (_, seen) => seen,
            static (_, known, seen) => known.Renewals == seen.Renewals ? known : seen,
            (Renewals: renewals, Since: now)).Since;

    /// <summary>Puts this process's times into a record that was read.</summary>
    public void Recall(RecordState record, long now)
    {
        foreach (Holder holder in record.Holders)
        {
            holder.State.RevokeSentAt =
                _revokes.TryGetValue((record.Id, holder.State.Session), out (MessageSeq Revoke, long Since) known) && known.Revoke == holder.State.RevokeMessage
                    ? known.Since
                    : now;
        }

        record.UnsettledSince =
            _unsettled.TryGetValue(record.Id, out (long Fence, long Since) unsettled) && unsettled.Fence == record.Fence.Value ? unsettled.Since : now;
    }

    /// <summary>Notes the times of a record as it was committed.</summary>
    public void Note(RecordState record)
    {
        foreach (Holder holder in record.Holders)
        {
            var at = (record.Id, holder.State.Session);
            if (holder.State.Revoking.IsEmpty)
            {
                _revokes.TryRemove(at, out _);
            }
            else
            {
                (MessageSeq Revoke, long Since) seen = (holder.State.RevokeMessage, holder.State.RevokeSentAt);
                _revokes.AddOrUpdate(
                    at,
                    static (_, seen) => seen,
                    static (_, known, seen) => known.Revoke == seen.Revoke && known.Since < seen.Since ? known : seen,
                    seen);
            }
        }

        if (record.IsUnsettled)
        {
            _unsettled[record.Id] = (record.Fence.Value, record.UnsettledSince);
        }
        else
        {
            _unsettled.TryRemove(record.Id, out _);
        }
    }

    public void Forget(SessionId session) => _sessions.TryRemove(session, out _);

    /// <summary>Forgets what is older than any use of it.</summary>
    public void ForgetBefore(long time)
    {
        foreach (((InodeId, SessionId) at, (MessageSeq, long Since) seen) in _revokes)
        {
            if (seen.Since < time)
            {
                _revokes.TryRemove(at, out _);
            }
        }

        foreach ((InodeId id, (long, long Since) seen) in _unsettled)
        {
            // Another process may have settled it. Longer than any source write may take by the options, twice over.
            if (seen.Since < time - (2 * LongestSourceWrite))
            {
                _unsettled.TryRemove(id, out _);
            }
        }
    }

    /// <summary>Starts anew: the store was away, and nobody could be heard.</summary>
    public void Clear() => _sessions.Clear();
}
