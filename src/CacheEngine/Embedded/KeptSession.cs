using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Embedded;

/// <summary>
/// A session that is reached through the store's contract: what was fetched is kept until the session says that it was taken in.
/// </summary>
/// <remarks>The embedded authority's own sessions do without it: their links deliver in order and lose nothing on the way.</remarks>
internal sealed class KeptSession(StoredSession stored)
{
    private readonly List<AuthorityMessage> _kept = [];
    private readonly Lock _lock = new();
    private volatile bool _isOpen = true;

    public StoredSession Stored => stored;

    public bool IsOpen => _isOpen;

    public void Close() => _isOpen = false;

    /// <summary>Adds what the session is owed behind <paramref name="after"/>, and forgets what it has taken in.</summary>
    public SessionStanding Fetch(MessageSeq after, List<AuthorityMessage> owed, int refused)
    {
        if (!_isOpen)
        {
            return SessionStanding.Over with { Refused = refused };
        }

        lock (_lock)
        {
            while (stored.TryTakeOwed(long.MaxValue, long.MaxValue, out AuthorityMessage message))
            {
                _kept.Add(message);
            }

            MessageSeq tookIn = stored.View.TookIn;
            _kept.RemoveAll(message => message.Sequence <= tookIn);
            owed.AddRange(_kept.Where(message => !(message.Sequence <= after)));
            return new SessionStanding(true, _kept.Count > 0 ? _kept[^1].Sequence : tookIn, refused);
        }
    }

    /// <summary>Notes a renewal and tells what the session is owed at this moment.</summary>
    public SessionStanding Renew(in ClientMessage renewal, long now)
    {
        stored.TookIn(renewal.TookIn);
        lock (_lock)
        {
            return _isOpen && stored.TryRenew(renewal, now, now) && stored.TryTakeRenewal(long.MaxValue, out AuthorityMessage answer)
                ? new SessionStanding(true, answer.OwedThrough)
                : SessionStanding.Over;
        }
    }
}
