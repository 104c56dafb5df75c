using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>An authority, and sessions that speak about one object with messages written by hand.</summary>
internal sealed class HandWritten : IAsyncDisposable
{
    public const long Term = 1_000;

    /// <summary>One per cent of the term and twice the granularity.</summary>
    public const long SilentAfter = Term + 20;

    private readonly Dictionary<ISessionLink, ulong> _numbers = [];

    public HandWritten(TimeSpan commitDelay = default, SizeQuota? quota = null)
    {
        var options = new EmbeddedAuthorityOptions
        {
            TimeProvider = Time,
            LeaseTerm = TimeSpan.FromMilliseconds(Term),
            ClockDrift = 0.01,
            ClockGranularity = TimeSpan.FromMilliseconds(5),
            CommitDelay = commitDelay,
        };
        options.Quota = quota ?? options.Quota;
        Authority = EmbeddedAuthority.Create(options);
    }

    public static CapSet BufferAndPin => Rights.Buffered | CapSet.Pin;

    public ManualTimeProvider Time { get; } = new();

    public EmbeddedAuthority Authority { get; }

    public async Task<ISessionLink> OpenAsync(Guid identity, string node = "node") => await Authority.OpenSessionAsync(
        new SessionOpening("region", "shape", node, identity, default), static () => { }, CancellationToken.None);

    /// <summary>Posts a message with the next number.</summary>
    public void Post(ISessionLink link, ClientMessage message)
    {
        ulong number = _numbers.GetValueOrDefault(link) + 1;
        _numbers[link] = number;
        message.Session = link.Id;
        message.Sequence = new MessageSeq(number);
        message.RequestId = message.RequestId == 0 ? (long)number : message.RequestId;
        message.Key = message.Inode.IsKnown || message.Kind is ClientMessageKind.ClaimsDone or ClientMessageKind.Commit ? default : new byte[] { 1 };
        link.Post(message);
    }

    public void Ask(ISessionLink link, ClientMessageKind kind, string? value = null) =>
        Post(link, new ClientMessage { Kind = kind, Payload = value is null ? default : Payload.OfReference(value) });

    /// <summary>Writes, and gets the right to keep the next writes back.</summary>
    public AuthorityMessage Buffer(ISessionLink link, string value)
    {
        PostBuffer(link, value);
        return TakeBuffer(link);
    }

    public void PostBuffer(ISessionLink link, string value) =>
        Post(link, new ClientMessage { Kind = ClientMessageKind.Write, Wanted = BufferAndPin, Payload = Payload.OfReference(value) });

    public static AuthorityMessage TakeBuffer(ISessionLink link)
    {
        AuthorityMessage written = Receive(link, AuthorityMessageKind.Written);
        Assert.Equal(BufferAndPin, written.Caps);
        return written;
    }

    /// <summary>Flushes a value under a grant, with a version as far above the grant's as is said.</summary>
    public void Flush(ISessionLink link, in AuthorityMessage grant, ulong tid, string value, long above = 1, bool isUrgent = false) => Post(link, new ClientMessage
    {
        Kind = ClientMessageKind.Flush,
        Inode = grant.Inode,
        Cap = grant.Cap,
        Seq = grant.Seq,
        Tid = new FlushTid(tid),
        Floor = new FlushTid(1),
        Version = grant.Version + above,
        IsUrgent = isUrgent,
        Payload = Payload.OfReference(value),
    });

    public void Claim(ISessionLink link, in AuthorityMessage grant, CapSet caps, long wantedSize = 0) => Post(link, new ClientMessage
    {
        Kind = ClientMessageKind.Claim,
        Inode = grant.Inode,
        Cap = grant.Cap,
        Seq = grant.Seq,
        Caps = caps,
        Version = grant.Version,
        WantedSize = wantedSize,
    });

    /// <summary>The answer to a claim.</summary>
    public static AuthorityMessage Standing(ISessionLink link, in AuthorityMessage grant, CapSet caps)
    {
        AuthorityMessage standing = Receive(link, AuthorityMessageKind.Standing);
        Assert.Equal((grant.Cap, caps), (standing.Cap, standing.Caps));
        return standing;
    }

    public void Done(ISessionLink link) => Post(link, new ClientMessage { Kind = ClientMessageKind.ClaimsDone, IsClean = true });

    /// <summary>Answers a revoke.</summary>
    public void Answer(ISessionLink link, in AuthorityMessage revoke) =>
        Post(link, new ClientMessage { Kind = ClientMessageKind.CapUpdate, Inode = revoke.Inode, Cap = revoke.Cap, Seq = revoke.Seq, Caps = revoke.Caps });

    public static AuthorityMessage Receive(ISessionLink link, AuthorityMessageKind kind)
    {
        Assert.True(link.TryReceive(out AuthorityMessage message), $"nothing, not {kind}");
        Assert.Equal(kind, message.Kind);
        return message;
    }

    public static void AssertNothing(params ISessionLink[] links) =>
        Assert.All(links, static link => Assert.False(link.TryReceive(out AuthorityMessage message), $"{message}"));

    /// <summary>Takes in everything, and tells the last kind.</summary>
    public static AuthorityMessageKind Drain(ISessionLink link)
    {
        AuthorityMessageKind last = AuthorityMessageKind.None;
        while (link.TryReceive(out AuthorityMessage message))
        {
            last = message.Kind;
        }

        return last;
    }

    /// <summary>What the record says.</summary>
    public (long Version, object? Value, int Holders) Record()
    {
        (long, object?, int) found = default;
        Authority.Store.Inspect(record => found = (record.Version, record.Payload.Reference, record.Holders.Count));
        return found;
    }

    public ValueTask DisposeAsync() => Authority.DisposeAsync();
}
