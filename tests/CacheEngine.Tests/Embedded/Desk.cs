using System.Text;
using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Embedded;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine.Tests.Embedded;

/// <summary>One object of a memory store, and sessions whose every message is written by hand.</summary>
internal sealed class Desk
{
    public const long Term = 1_000;

    /// <summary>One per cent of the term and twice the granularity.</summary>
    public const long Margin = 20;

    private readonly Dictionary<SessionId, StoredSession> _sessions = [];
    private long _lastRequest;

    public Desk(SourceTerms source = default)
    {
        Store = new MemoryRecordStore(
            new LeaseTerms(Term, 0.01, 5, 5 * Term),
            new FixedLatency(0),
            (id, at) =>
            {
                LockOrder.AssertNoneHeld();
                LooksAgain.Add(at);
            })
        {
            Doorbell = session =>
            {
                LockOrder.AssertNoneHeld();
                Rung.Add(session);
            },
        };
        Object = Store.Bind("region", source, Encoding.UTF8.GetBytes("key"));
    }

    public static CapSet ServeAndPin => Rights.Serve | CapSet.Pin;

    public static CapSet ExclusiveAndPin => Rights.Exclusive | Rights.AfterWrite;

    public MemoryRecordStore Store { get; }

    public InodeId Object { get; }

    public long Now { get; set; } = 1_000;

    public List<long> LooksAgain { get; } = [];

    public List<SessionId> Rung { get; } = [];

    public SessionId Join()
    {
        var id = new SessionId(_sessions.Count + 1);
        _sessions[id] = Store.AddSession(id, new SessionOpening("region", "shape", $"node {id.Value}", Guid.NewGuid(), default), Now);
        return id;
    }

    /// <summary>Sends a request and tells its id.</summary>
    public long Ask(SessionId session, ClientMessageKind kind, string? value = null)
    {
        long request = ++_lastRequest;
        Send(session, new ClientMessage
        {
            Kind = kind,
            RequestId = request,
            Cookie = 100 + (ulong)session.Value,
            Payload = value is null ? default : Payload.OfReference(value),
        });
        return request;
    }

    /// <summary>Asks for the right to change the object, and gets it.</summary>
    public AuthorityMessage Own(SessionId session)
    {
        Ask(session, ClientMessageKind.Own);
        return TakeOwnership(session);
    }

    /// <summary>The right to change the object is the one message that a session is owed.</summary>
    public AuthorityMessage TakeOwnership(SessionId session)
    {
        AuthorityMessage grant = Take(session, AuthorityMessageKind.Grant);
        Assert.True(grant.Fence.Value > 0);
        Assert.Equal(Rights.Exclusive | CapSet.Pin, grant.Caps);
        return grant;
    }

    /// <summary>Says how an owner's change ended.</summary>
    public long Settle(SessionId session, in AuthorityMessage owned, Settlement settlement, string? value = null, long timeToLive = 0)
    {
        long request = ++_lastRequest;
        Send(session, new ClientMessage
        {
            Kind = ClientMessageKind.Settle,
            RequestId = request,
            Cookie = 100 + (ulong)session.Value,
            Ownership = new Ownership(owned.RequestId, owned.Fence),
            Settlement = settlement,
            TimeToLive = timeToLive,
            Payload = value is null ? default : Payload.OfReference(value),
        });
        return request;
    }

    /// <summary>Writes if the object has the expected version.</summary>
    public long WriteOn(SessionId session, long version, string value)
    {
        long request = ++_lastRequest;
        Send(session, new ClientMessage
        {
            Kind = ClientMessageKind.Write,
            RequestId = request,
            Precondition = Precondition.Exactly(version),
            Payload = Payload.OfReference(value),
        });
        return request;
    }

    /// <summary>What the record says, apart from who holds what.</summary>
    public (long Version, bool HasValue, Fence Fence, bool IsOwned, bool IsUnsettled) Record()
    {
        (long, bool, Fence, bool, bool) found = default;
        Store.Inspect(record => found = (record.Version, record.HasValue, record.Fence, record.Owner.IsOpen, record.IsUnsettled));
        return found;
    }

    /// <summary>Cuts a session off as the authority does.</summary>
    public void CutOff(SessionId session)
    {
        StoredSession stored = _sessions[session];
        Assert.Equal(SessionEnding.CutOff, stored.End(SessionEnd.CutOff, Now));
        foreach (InodeId id in stored.Touched())
        {
            Store.TryTransit(id, new RecordEvent(RecordEventKind.SessionCut, session), Now);
        }
    }

    /// <summary>A session is over, and its records have not heard of it yet.</summary>
    public void EndUntold(SessionId session, SessionEnd how) => Assert.Equal(SessionEnding.Both, _sessions[session].End(how, Now));

    public void Fill(SessionId session, CapId cap, string value) =>
        Send(session, new ClientMessage { Kind = ClientMessageKind.Fill, RequestId = ++_lastRequest, Cap = cap, Payload = Payload.OfReference(value) });

    public void Answer(SessionId session, in AuthorityMessage to, CapSet retained) =>
        Send(session, new ClientMessage { Kind = ClientMessageKind.CapUpdate, Cap = to.Cap, Seq = to.Seq, Caps = retained });

    public void Release(SessionId session, CapId cap, CapSeq seq) =>
        Send(session, new ClientMessage { Kind = ClientMessageKind.Release, Cap = cap, Seq = seq });

    public void Send(SessionId session, ClientMessage message)
    {
        message.Session = session;
        message.Inode = Object;
        Assert.True(Store.TryTransit(Object, new RecordEvent(RecordEventKind.Message, session, message), Now));
    }

    public void Renew(SessionId session) =>
        Assert.True(_sessions[session].TryRenew(new ClientMessage { Kind = ClientMessageKind.Renew }, Now, Now));

    public void TakeIn(SessionId session, in AuthorityMessage message) => _sessions[session].TookIn(message.Sequence);

    public void PassTime(long to)
    {
        Now = to;
        Store.TryTransit(Object, new RecordEvent(RecordEventKind.TimePassed, default), Now);
    }

    /// <summary>Ends a session as the authority does.</summary>
    public void End(SessionId session)
    {
        StoredSession stored = _sessions[session];
        Assert.Equal(SessionEnding.Both, stored.End(SessionEnd.Silent, Now));
        foreach (InodeId id in stored.Touched())
        {
            Store.TryTransit(id, new RecordEvent(RecordEventKind.SessionGone, session), Now);
        }

        Store.RemoveSession(session);
    }

    /// <summary>The one message that a session is owed.</summary>
    public AuthorityMessage Take(SessionId session, AuthorityMessageKind kind)
    {
        Assert.True(Store.TryTakeOwed(session, Now, out AuthorityMessage message), $"{session} is owed nothing, not {kind}");
        Assert.Equal(kind, message.Kind);
        Assert.Equal(session, message.Session);
        Assert.Equal(Object, message.Inode);
        return message;
    }

    public void AssertOwedNothing(params SessionId[] sessions)
    {
        foreach (SessionId session in sessions)
        {
            Assert.False(Store.TryTakeOwed(session, long.MaxValue, out AuthorityMessage message), $"{session} is owed {message}");
        }
    }

    /// <summary>What a session has issued, and what it has not yet given back.</summary>
    public (CapSet Issued, CapSet Implemented) HeldBy(SessionId session)
    {
        (CapSet, CapSet) held = default;
        Store.Inspect(record =>
        {
            if (record.Find(session) is { } holder)
            {
                held = (holder.State.Issued, holder.State.Implemented);
            }
        });
        return held;
    }

    /// <summary>Gives the session rights to serve, as the first to ask.</summary>
    public AuthorityMessage Grant(SessionId session)
    {
        Ask(session, ClientMessageKind.Acquire);
        AuthorityMessage grant = Take(session, AuthorityMessageKind.Grant);
        Assert.Equal(ServeAndPin, grant.Caps);
        return grant;
    }

    /// <summary>Elects the session as the loader.</summary>
    public AuthorityMessage Elect(SessionId session)
    {
        Ask(session, ClientMessageKind.Load);
        AuthorityMessage grant = Take(session, AuthorityMessageKind.Grant);
        Assert.False(grant.HasValue);
        Assert.True(grant.Caps.Contains(Rights.Exclusive));
        return grant;
    }
}
