using System.Text;
using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>One session at a record store, whose every message is written by hand and numbered in order.</summary>
internal sealed class StoreNode(IRecordStore store, SessionId id)
{
    private ulong _sent;
    private long _lastRequest;
    private ulong _renewals;

    public SessionId Id => id;

    /// <summary>Everything received, in order.</summary>
    public List<AuthorityMessage> Received { get; } = [];

    private MessageSeq Last => Received.Count == 0 ? default : Received[^1].Sequence;

    /// <summary>As if nothing had been received: the answers were lost on the way.</summary>
    public void ForgetReceived() => Received.Clear();

    public ClientMessage Number(ClientMessage message) =>
        message with { Session = id, Sequence = new MessageSeq(++_sent), RequestId = ++_lastRequest, Cookie = 7 };

    public async Task<SessionStanding> ApplyAsync(params ClientMessage[] batch) => await store.ApplyAsync(id, batch, Last, Received, default);

    public Task<SessionStanding> SendAsync(ClientMessage message) => ApplyAsync(Number(message));

    /// <summary>Sends a request that is answered at once, and returns the answer.</summary>
    public async Task<AuthorityMessage> AskAsync(ClientMessageKind kind, string key, string? value = null)
    {
        ClientMessage message = Number(new ClientMessage
        {
            Kind = kind,
            Key = Encoding.UTF8.GetBytes(key),
            Payload = value is null ? default : Payload.OfBytes(Encoding.UTF8.GetBytes(value)),
        });
        SessionStanding standing = await ApplyAsync(message);
        Assert.Equal(0, standing.Refused);
        return Assert.Single(Received, answer => answer.RequestId == message.RequestId);
    }

    /// <summary>Becomes the owner of an object and gives it up again.</summary>
    public async Task<AuthorityMessage> OwnAsync(string key)
    {
        AuthorityMessage grant = await AskAsync(ClientMessageKind.Own, key);
        await SendAsync(new ClientMessage
        {
            Kind = ClientMessageKind.Settle,
            Inode = grant.Inode,
            Cap = grant.Cap,
            Seq = grant.Seq,
            Ownership = new Ownership(grant.RequestId, grant.Fence),
            Settlement = Settlement.Abandoned,
        });
        return grant;
    }

    /// <summary>Writes through, and is given the right to keep the next writes back.</summary>
    public async Task<AuthorityMessage> BufferAsync(string key, string value)
    {
        ClientMessage message = Number(new ClientMessage
        {
            Kind = ClientMessageKind.Write,
            Key = Encoding.UTF8.GetBytes(key),
            Wanted = Rights.Buffered,
            Payload = Payload.OfBytes(Encoding.UTF8.GetBytes(value)),
        });
        await ApplyAsync(message);
        AuthorityMessage written = Assert.Single(Received, answer => answer.RequestId == message.RequestId);
        Assert.True(written.Caps.Contains(Rights.Buffered) && written.VersionLimit > written.Version && written.MaxSize > 0);
        return written;
    }

    /// <summary>Flushes what was buffered under a grant; the answer to it.</summary>
    public async Task<AuthorityMessage> FlushAsync(AuthorityMessage of, ulong tid, long version, string value)
    {
        int before = Received.Count;
        SessionStanding standing = await SendAsync(new ClientMessage
        {
            Kind = ClientMessageKind.Flush,
            Inode = of.Inode,
            Cap = of.Cap,
            Tid = new FlushTid(tid),
            Floor = new FlushTid(tid),
            Version = version,
            Payload = Payload.OfBytes(Encoding.UTF8.GetBytes(value)),
        });
        Assert.Equal(0, standing.Refused);
        AuthorityMessage answer = Assert.Single(Received[before..]);
        Assert.Equal(new FlushTid(tid), answer.Tid);
        return answer;
    }

    /// <summary>Claims what it still has of a grant; the answer to it.</summary>
    public async Task<AuthorityMessage> ClaimAsync(AuthorityMessage of, CapSet has)
    {
        ClientMessage message = Number(new ClientMessage { Kind = ClientMessageKind.Claim, Inode = of.Inode, Cap = of.Cap, Caps = has, Version = of.Version });
        Assert.Equal(0, (await ApplyAsync(message)).Refused);
        AuthorityMessage answer = Assert.Single(Received, answer => answer.RequestId == message.RequestId);
        Assert.Equal((AuthorityMessageKind.Standing, of.Cap), (answer.Kind, answer.Cap));
        return answer;
    }

    /// <summary>Has claimed all that it wants of its earlier sessions.</summary>
    public async Task ClaimsDoneAsync() => Assert.Equal(0, (await SendAsync(new ClientMessage { Kind = ClientMessageKind.ClaimsDone, IsClean = true })).Refused);

    public Task<SessionStanding> CloseAsync(bool isClean) =>
        ApplyAsync(new ClientMessage { Kind = ClientMessageKind.Close, Session = id, IsClean = isClean });

    public Task ReleaseAsync(AuthorityMessage of) =>
        SendAsync(new ClientMessage { Kind = ClientMessageKind.Release, Inode = of.Inode, Cap = of.Cap, Seq = of.Seq });

    /// <summary>What has come to be owed since the last message that was received, or behind another one.</summary>
    public async Task<List<AuthorityMessage>> FetchAsync(ulong? after = null)
    {
        var owed = new List<AuthorityMessage>();
        await store.FetchAsync(id, after is { } given ? new MessageSeq(given) : Last, owed, default);
        Received.AddRange(owed);
        return owed;
    }

    public async Task<SessionStanding> StandingAsync() => await store.FetchAsync(id, Last, [], default);

    public async Task<SessionStanding> RenewAsync(ulong? tookIn = null) => await store.RenewAsync(
        id,
        new ClientMessage { Kind = ClientMessageKind.Renew, Session = id, Renew = new RenewSeq(++_renewals), TookIn = tookIn is { } taken ? new MessageSeq(taken) : default },
        default);
}
