using CacheEngine.Authority;

namespace CacheEngine.Simulation;

/// <summary>
/// An authority that hears some of a node's openings twice. The second, late as it is, takes the place of whatever session the node has by then; nobody
/// uses what it opens.
/// </summary>
internal sealed class RepeatedOpenings(EmbeddedAuthority authority, Random random, int latestMilliseconds, Func<bool> isEnding) : CacheAuthority
{
    public override TimeProvider TimeProvider => authority.TimeProvider;

    internal override bool CopiesValues => authority.CopiesValues;

    public override ValueTask DisposeAsync() => authority.DisposeAsync();

    internal override async ValueTask<ISessionLink> OpenSessionAsync(SessionOpening opening, Action wake, CancellationToken cancellationToken)
    {
        ISessionLink link = await authority.OpenSessionAsync(opening, wake, cancellationToken);
        if (random.Next(2) == 0)
        {
            _ = RepeatAsync(opening);
        }

        return link;
    }

    private async Task RepeatAsync(SessionOpening opening)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(latestMilliseconds)), authority.TimeProvider);
        if (!isEnding())
        {
            _ = await authority.OpenSessionAsync(opening, static () => { }, CancellationToken.None);
        }
    }
}
