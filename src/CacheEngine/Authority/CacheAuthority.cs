using CacheEngine.Authority;

namespace CacheEngine;

/// <summary>
/// The remote authority of a cache: it grants rights to serve, takes them back, and acknowledges writes.
/// </summary>
/// <remarks>Applications create one (<see cref="EmbeddedAuthority"/>) and give it to <see cref="CoherentCache"/>; they do not derive from it.</remarks>
public abstract class CacheAuthority : IAsyncDisposable
{
    private protected CacheAuthority()
    {
    }

    /// <summary>The clock of everything at this authority and, unless the options say otherwise, of its caches.</summary>
    public abstract TimeProvider TimeProvider { get; }

    /// <summary>Ends all sessions. Caches that are still open can serve until their leases run out and then fail.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Whether values cross as bytes, so that every cache needs a serializer.</summary>
    internal abstract bool CopiesValues { get; }

    /// <summary>Opens a session. One of the port's few requests that are answered directly.</summary>
    /// <param name="opening">What the node says of itself.</param>
    /// <param name="wake">Called, with no lock held, whenever the link may have something to receive.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SessionRejectedException">The region is in use with other key or value types.</exception>
    internal abstract ValueTask<ISessionLink> OpenSessionAsync(SessionOpening opening, Action wake, CancellationToken cancellationToken);
}
