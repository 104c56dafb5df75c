using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>
/// Announces changes of state to user code: one at a time, in order, never on a pump's stack.
/// </summary>
/// <param name="look">What the state is now.</param>
internal sealed class StateWatch(Func<CacheState> look)
{
    private int _announced = (int)CacheState.Serving;
    private int _isAnnouncing;

    /// <summary>User code; what a handler throws is dropped, and the others are called all the same.</summary>
    public event EventHandler<CacheStateChangedEventArgs>? Changed;

    /// <summary>Whose state it is, as handlers know it; set before any handler is added.</summary>
    public object? Sender { get; set; }

    private CacheState Announced =>
        // Edge WATCH-5 (acquire; other end: WATCH-3): a stale one only makes the caller an announcer in vain, or is found by the next tick.
        (CacheState)Volatile.Read(ref _announced);

    /// <summary>Looks whether there is something to announce. Called whenever the state may have changed, with no gate held.</summary>
    public void Look()
    {
        // Edge WATCH-4 (full fence; other end: WATCH-3): the change that made the caller look is out before what was announced is read; with it still in
        // this core's store buffer, the announcer could end on the state before and nobody would announce this one before the next tick.
        Interlocked.MemoryBarrier();
        if (look() == Announced)
        {
            return;
        }

        // Edge WATCH-2 (full fence; other end: WATCH-1): whoever finds an announcer at work relies on its last look, which follows the release.
        if (Interlocked.Exchange(ref _isAnnouncing, 1) == 0)
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
            if (current != Announced)
            {
                var change = new CacheStateChangedEventArgs(Announced, current);

                // Edge WATCH-3 (release; other ends: WATCH-4, WATCH-5): one announcer at a time writes it.
                Volatile.Write(ref _announced, (int)current);
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
