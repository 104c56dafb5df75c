using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>
/// Announces changes of state to user code: one at a time, in order, never on a pump's stack.
/// </summary>
/// <param name="look">What the state is now.</param>
internal sealed class StateWatch(Func<CacheState> look)
{
    private CacheState _announced;
    private int _isAnnouncing;

    /// <summary>User code; what a handler throws is dropped, and the others are called all the same.</summary>
    public event EventHandler<CacheStateChangedEventArgs>? Changed;

    /// <summary>Whose state it is, as handlers know it; set before any handler is added.</summary>
    public object? Sender { get; set; }

    /// <summary>Looks whether there is something to announce. Called whenever the state may have changed, with no gate held.</summary>
    public void Look()
    {
        // Edge WATCH-2 (full fence; other end: WATCH-1): whoever finds an announcer at work relies on its last look, which follows the release.
        if (look() != _announced && Interlocked.Exchange(ref _isAnnouncing, 1) == 0)
        {
            _ = AnnounceAsync();
        }
    }

    private async Task AnnounceAsync()
    {
        await Task.CompletedTask.ConfigureAwait(EngineAwait.Yielding);

        // Bound: one round per state that was seen.
        while (true)
        {
            CacheState current = look();
            if (current != _announced)
            {
                var change = new CacheStateChangedEventArgs(_announced, current);
                _announced = current;
                Announce(change);
                continue;
            }

            // Edge WATCH-1 (full fence; other end: WATCH-2): released, then looked again; the other way round a change in between would be announced by nobody.
            Interlocked.Exchange(ref _isAnnouncing, 0);
            if (look() == current || Interlocked.Exchange(ref _isAnnouncing, 1) != 0)
            {
                return;
            }
        }
    }

    private void Announce(CacheStateChangedEventArgs change)
    {
        foreach (EventHandler<CacheStateChangedEventArgs> handler in Delegate.EnumerateInvocationList(Changed))
        {
            try
            {
                handler(Sender, change);
            }
            catch (Exception)
            {
                // A handler's fault is not the cache's, nor the other handlers'.
            }
        }
    }
}
