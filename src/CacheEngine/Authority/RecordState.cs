using CacheEngine.Arbitration;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>The authority's record of one object: its value, who holds rights on it, and who waits. Guarded by its store.</summary>
internal sealed class RecordState(InodeId id)
{
    public InodeId Id => id;

    /// <summary>Raised by every write, remove, fill, completed settlement, and by the end of a value's time.</summary>
    public long Version;

    public bool HasValue;

    public Payload Payload;

    /// <summary>When the value ends, on the authority's clock.</summary>
    public long ExpiresAt = long.MaxValue;

    /// <summary>The last fence given; none yet: zero.</summary>
    public Fence Fence;

    /// <summary>Who may change the object now, if anybody.</summary>
    public OwnerState Owner;

    /// <summary>Whether the last writer at the source may still be writing; since <see cref="UnsettledSince"/> on the authority's clock.</summary>
    public bool IsUnsettled;

    public long UnsettledSince;

    public readonly List<Holder> Holders = new(4);

    /// <summary>In order of arrival.</summary>
    public readonly List<RequestState> Requests = new(4);

    public Holder? Find(SessionId session)
    {
        foreach (Holder holder in Holders)
        {
            if (holder.State.Session == session)
            {
                return holder;
            }
        }

        return null;
    }

    public void DropRequests(SessionId session) => Requests.RemoveAll(request => request.Session == session);

    /// <summary>Gives the object a new version.</summary>
    public void Change(bool hasValue, in Payload payload, long timeToLive, IRecordContext context)
    {
        Version = context.Incarnation.After(Version);
        HasValue = hasValue;
        Payload = payload;
        ExpiresAt = hasValue && timeToLive > 0 ? context.Now + timeToLive : long.MaxValue;
    }

    /// <summary>Ends a value whose time is over. Nobody serves it any more: each node counts less than the time that it was told.</summary>
    public void EndValue(IRecordContext context)
    {
        if (HasValue && ExpiresAt != long.MaxValue && context.Now >= ExpiresAt)
        {
            Change(hasValue: false, default, 0, context);
        }
    }

    /// <summary>Ends an ownership whose right is gone without a word of its holder: at the source, its change may still take effect.</summary>
    public void EndOwner(IRecordContext context)
    {
        if (!Owner.IsOpen)
        {
            return;
        }

        bool stands = Find(Owner.Session) is { } holder
            && holder.State.Cap == Owner.Cap
            && holder.State.Implemented.Contains(Rights.Exclusive);
        if (!stands)
        {
            Owner = default;
            Unsettle(context);
        }
    }

    /// <summary>From now on nobody reads at the source before it is certain that the last writer's change cannot take effect any more.</summary>
    public void Unsettle(IRecordContext context)
    {
        if (context.Source.IsAtSource)
        {
            IsUnsettled = true;
            UnsettledSince = context.Now;
        }
    }
}

/// <summary>One session's rights on one object, and where it is found in messages.</summary>
internal sealed class Holder
{
    public HolderState State;

    public ulong Cookie;
}

/// <summary>What a decision about a record needs to know of the world, and where its effects go.</summary>
internal interface IRecordContext
{
    /// <summary>The authority's clock, read anew each time.</summary>
    long Now { get; }

    LeaseTerms Terms { get; }

    /// <summary>The terms of the record's region.</summary>
    SourceTerms Source { get; }

    /// <summary>Where new versions and fences come from.</summary>
    Incarnation Incarnation { get; }

    SessionView View(SessionId session);

    /// <summary>Numbers a message and keeps it with what the session is owed.</summary>
    MessageSeq Owe(SessionId session, ref AuthorityMessage message);

    Caps.CapId NewCapId();

    /// <summary>The session asks for something here and holds nothing yet: when it is over, this record must hear of it.</summary>
    void Touched(RecordState record, SessionId session);

    /// <summary>Look at the record again at that time.</summary>
    void LookAgain(RecordState record, long at);
}
