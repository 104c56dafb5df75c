using CacheEngine.Protocol;

namespace CacheEngine.Sessions;

/// <summary>Gives back a cap that this node does not know, to the session that spoke of it.</summary>
internal sealed class UnknownCapRelease(ClientMessage release, SessionId session) : OutboxEntry
{
    /// <inheritdoc/>
    public override bool TryBuild(in Sending sending, out ClientMessage message)
    {
        message = release;
        return sending.IsFor(session);
    }
}
