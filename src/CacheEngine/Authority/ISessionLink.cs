using System.Runtime.InteropServices;
using CacheEngine.Arbitration;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Authority;

/// <summary>What a node says of itself when it opens a session.</summary>
/// <param name="Region">The name of the key space.</param>
/// <param name="Shape">The key codec, the value type, and where values live: all nodes of a region must agree.</param>
/// <param name="Node">A name for dumps and for fault injection; need not be unique.</param>
/// <param name="Identity">Who opens: drawn at random by each node and kept over its sessions. An identity has one live session, the newest.</param>
/// <param name="Source">What the region's nodes agree on about the source of values; part of the shape.</param>
internal sealed record SessionOpening(string Region, string Shape, string Node, Guid Identity, SourceTerms Source)
{
    /// <summary>The identity, as decisions know it.</summary>
    public EngineId Engine { get; } = new(MemoryMarshal.Read<UInt128>(Identity.ToByteArray()));
}

/// <summary>
/// One open session, as its node sees it: ordered one-way messages in both directions, and renewals in a lane of their own.
/// </summary>
/// <remarks><see cref="Post"/> and <see cref="Renew"/> never block and never fail: what cannot be delivered is lost with the session.</remarks>
internal interface ISessionLink
{
    SessionId Id { get; }

    LeaseTerms Terms { get; }

    /// <summary>Sends a message, in order.</summary>
    void Post(in ClientMessage message);

    /// <summary>Sends a renewal, not behind other messages.</summary>
    void Renew(in ClientMessage message);

    /// <summary>Receives the answer to a renewal, if there is one.</summary>
    bool TryReceiveRenewal(out AuthorityMessage message);

    /// <summary>Receives the next message, in order, if there is one.</summary>
    bool TryReceive(out AuthorityMessage message);
}
