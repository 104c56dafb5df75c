using CacheEngine.Arbitration;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>The authority's record of one object: its value, who holds rights on it, and who waits. Guarded by its store.</summary>
internal sealed class RecordState(InodeId id)
{
    public InodeId Id => id;

    /// <summary>Raised by every write, remove and fill.</summary>
    public long Version;

    public bool HasValue;

    public Payload Payload;

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

    SessionView View(SessionId session);

    /// <summary>Numbers a message and keeps it with what the session is owed.</summary>
    MessageSeq Owe(SessionId session, ref AuthorityMessage message);

    Caps.CapId NewCapId();

    /// <summary>The session asks for something here and holds nothing yet: when it is over, this record must hear of it.</summary>
    void Touched(RecordState record, SessionId session);

    /// <summary>Look at the record again at that time.</summary>
    void LookAgain(RecordState record, long at);
}
