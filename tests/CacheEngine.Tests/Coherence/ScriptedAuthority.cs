using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Coherence;

/// <summary>An authority whose every word a test writes by hand, to one node.</summary>
internal sealed class ScriptedAuthority(TimeProvider time) : CacheAuthority
{
    private const long Limit = 1_000_000;

    private readonly List<Link> _links = [];
    private Action _wake = static () => { };

    public override TimeProvider TimeProvider => time;

    internal override bool CopiesValues => false;

    /// <summary>What happens while an opening is under way; null: it is answered at once.</summary>
    public Func<Task>? Opening { get; set; }

    /// <summary>Called on the node's thread with everything that it has just sent.</summary>
    public Action<ClientMessage>? OnPosted { get; set; }

    /// <summary>How many sessions have been opened.</summary>
    public int Sessions => _links.Count;

    /// <summary>What the node has sent in its newest session, oldest first.</summary>
    public List<ClientMessage> Posted => _links[^1].Posted;

    public override ValueTask DisposeAsync() => default;

    /// <summary>Sends a message in the newest session, with the next number.</summary>
    public void Send(AuthorityMessage message)
    {
        Link link = _links[^1];
        message.Session = link.Id;
        message.Sequence = new MessageSeq(++link.Sent);
        link.Owed.Enqueue(message);
        _wake();
    }

    /// <summary>Answers a write with the right to keep the next ones back.</summary>
    public AuthorityMessage GiveBuffer(in ClientMessage write)
    {
        var written = new AuthorityMessage
        {
            Kind = AuthorityMessageKind.Written,
            RequestId = write.RequestId,
            Inode = new InodeId(1),
            Cookie = write.Cookie,
            Cap = new CapId(1),
            Seq = new CapSeq(1),
            Caps = Rights.Buffered | CapSet.Pin,
            Version = 100,
            HasValue = true,
            VersionLimit = 100 + Limit,
            MaxSize = 1_000,
        };
        Send(written);
        return written;
    }

    public void Acknowledge(in ClientMessage flush, bool isDurable = true) => Send(new AuthorityMessage
    {
        Kind = AuthorityMessageKind.Flushed,
        Inode = flush.Inode,
        Cookie = flush.Cookie,
        Tid = flush.Tid,
        Version = flush.Version,
        HasValue = true,
        IsDurable = isDurable,
    });

    public void Refuse(in ClientMessage flush) => Send(new AuthorityMessage
    {
        Kind = AuthorityMessageKind.Refused,
        Inode = flush.Inode,
        Cookie = flush.Cookie,
        Tid = flush.Tid,
        Refusal = Refusal.RightLost,
    });

    internal override async ValueTask<ISessionLink> OpenSessionAsync(SessionOpening opening, Action wake, CancellationToken cancellationToken)
    {
        _wake = wake;
        if (Opening is { } opens)
        {
            await opens();
        }

        var link = new Link(this, new SessionId(_links.Count + 1));
        _links.Add(link);
        return link;
    }

    private sealed class Link(ScriptedAuthority authority, SessionId id) : ISessionLink
    {
        public SessionId Id => id;

        public LeaseTerms Terms { get; } = new(60_000, clockDrift: 0.01, granularityMilliseconds: 5, sessionTimeoutMilliseconds: 600_000);

        public List<ClientMessage> Posted { get; } = [];

        public Queue<AuthorityMessage> Owed { get; } = new();

        public ulong Sent { get; set; }

        public void Post(in ClientMessage message)
        {
            Posted.Add(message);
            authority.OnPosted?.Invoke(message);
        }

        public void Renew(in ClientMessage message)
        {
        }

        public bool TryReceiveRenewal(out AuthorityMessage message)
        {
            message = default;
            return false;
        }

        public bool TryReceive(out AuthorityMessage message) => Owed.TryDequeue(out message);
    }
}
