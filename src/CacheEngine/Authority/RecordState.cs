using CacheEngine.Arbitration;
using CacheEngine.Caps;
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

    /// <summary>The last version that the holder of the right to buffer may have given; zero: nobody buffers, or all that was buffered has come.</summary>
    public long VersionLimit;

    /// <summary>The last flush of each engine that has flushed here, while it may be sent again.</summary>
    public readonly List<AppliedFlush> Applied = new(0);

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

    /// <summary>Whether some holder may have changed the value in its own memory.</summary>
    public bool IsBuffered
    {
        get
        {
            foreach (Holder holder in Holders)
            {
                if (holder.State.Implemented.Contains(CapSet.FileBuffer))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>What a precondition comes to. The version that it names may be one that a buffering holder has given and that has not come: that shows when its
    /// buffer has come, or was taken.</summary>
    public Refusal Judge(in Precondition precondition)
    {
        Refusal refusal = precondition.Judge(Version);
        return refusal == Refusal.VersionUnknown && precondition.Version <= VersionLimit && IsBuffered ? Refusal.None : refusal;
    }

    /// <summary>The grant that an engine holds under some other session, an earlier one.</summary>
    public Holder? FindEarlier(EngineId engine, CapId cap, SessionId session)
    {
        foreach (Holder holder in Holders)
        {
            if (holder.State.Engine == engine && holder.State.Cap == cap && holder.State.Session.Value < session.Value)
            {
                return holder;
            }
        }

        return null;
    }

    /// <summary>The record as it is now, for a store that may have to go back to it.</summary>
    public RecordState Clone()
    {
        var copy = new RecordState(id);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Becomes what another state of the same object was.</summary>
    public void CopyFrom(RecordState other)
    {
        Version = other.Version;
        HasValue = other.HasValue;
        Payload = other.Payload;
        ExpiresAt = other.ExpiresAt;
        VersionLimit = other.VersionLimit;
        Fence = other.Fence;
        Owner = other.Owner;
        IsUnsettled = other.IsUnsettled;
        UnsettledSince = other.UnsettledSince;
        Applied.Clear();
        Applied.AddRange(other.Applied);
        Requests.Clear();
        Requests.AddRange(other.Requests);
        Holders.Clear();
        foreach (Holder holder in other.Holders)
        {
            Holders.Add(new Holder { State = holder.State, Cookie = holder.Cookie });
        }
    }

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

    /// <summary>Takes a value over that its buffering holder has made, or the end of one, with the version that it gave.</summary>
    public void Take(long version, in Payload payload, long timeToLive, IRecordContext context)
    {
        Version = version;
        HasValue = payload.Kind != PayloadKind.None;
        Payload = payload;
        ExpiresAt = HasValue && timeToLive > 0 ? context.Now + timeToLive : long.MaxValue;
    }

    /// <summary>Ends a value whose time is over. Nobody serves it any more: each node counts less than the time that it was told. Not while somebody buffers:
    /// it may be written over by now.</summary>
    public void EndValue(IRecordContext context)
    {
        if (HasValue && ExpiresAt != long.MaxValue && context.Now >= ExpiresAt && !IsBuffered)
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

    /// <summary>Whose session it is.</summary>
    EngineId EngineOf(SessionId session);

    /// <summary>How much of one object a node may buffer.</summary>
    Flushing.SizeQuota Quota { get; }

    /// <summary>The last thing that was applied to the record is lost if the authority crashes now; its senders are told when it no longer is.</summary>
    bool IsVolatile { get; }

    /// <summary>The right to buffer was taken from a session without its word: what it had not flushed is undone.</summary>
    void BufferTaken(RecordState record, SessionId session, long keptVersion);

    /// <summary>Numbers a message and keeps it with what the session is owed.</summary>
    MessageSeq Owe(SessionId session, ref AuthorityMessage message);

    Caps.CapId NewCapId();

    /// <summary>The session asks for something here and holds nothing yet: when it is over, this record must hear of it.</summary>
    void Touched(RecordState record, SessionId session);

    /// <summary>Look at the record again at that time.</summary>
    void LookAgain(RecordState record, long at);
}
