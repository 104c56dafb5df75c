using CacheEngine.Authority;

namespace CacheEngine.Scenarios.Stage;

/// <summary>An authority whose next answer to a node's opening is lost: the session is there, and its node does not know.</summary>
internal sealed class LossyOpenings(EmbeddedAuthority authority) : CacheAuthority
{
    public bool LosesNext { get; set; }

    public override TimeProvider TimeProvider => authority.TimeProvider;

    internal override bool CopiesValues => authority.CopiesValues;

    public override ValueTask DisposeAsync() => authority.DisposeAsync();

    internal override async ValueTask<ISessionLink> OpenSessionAsync(SessionOpening opening, Action wake, CancellationToken cancellationToken)
    {
        ISessionLink link = await authority.OpenSessionAsync(opening, wake, cancellationToken);
        if (!LosesNext)
        {
            return link;
        }

        LosesNext = false;
        throw new IOException("The answer to the opening is lost.");
    }
}
