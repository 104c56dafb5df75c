using System.Collections.Concurrent;

namespace CacheEngine.Sync;

/// <summary>Tells user code what has happened: one thing at a time, in order, never on a pump's stack. Nothing is kept if nobody listens.</summary>
/// <remarks>Bound: <see cref="MaxUntold"/> and one for each thread that tells; while a handler dawdles for longer than that, the oldest are dropped.</remarks>
internal sealed class Announcements<TArguments>
    where TArguments : EventArgs
{
    public const int MaxUntold = 65_536;

    private readonly ConcurrentQueue<TArguments> _untold = new();
    private int _isTelling;

    /// <summary>User code; what a handler throws is dropped, and the others are called all the same.</summary>
    public event EventHandler<TArguments>? Announced;

    /// <summary>Who announces, as handlers know it.</summary>
    public object? Sender { get; set; }

    public void Tell(TArguments what)
    {
        if (Announced is null)
        {
            return;
        }

        _untold.Enqueue(what);
        if (_untold.Count > MaxUntold)
        {
            _untold.TryDequeue(out _);
        }

        // Edge ANNOUNCE-2 (full fence; other end: ANNOUNCE-1): whoever finds a teller at work relies on its last look, which follows the release.
        if (Interlocked.Exchange(ref _isTelling, 1) == 0)
        {
            _ = TellAllAsync();
        }
    }

    private async Task TellAllAsync()
    {
        await Task.CompletedTask.ConfigureAwait(EngineAwait.Yielding);

        // Bound: one round per thing that has happened.
        while (true)
        {
            while (_untold.TryDequeue(out TArguments? what))
            {
                Call(what);
            }

            // Edge ANNOUNCE-1 (full fence; other end: ANNOUNCE-2): released, then looked again; the other way round what happens in between would be told by nobody.
            Interlocked.Exchange(ref _isTelling, 0);
            if (_untold.IsEmpty || Interlocked.Exchange(ref _isTelling, 1) != 0)
            {
                return;
            }
        }
    }

    private void Call(TArguments what)
    {
        foreach (EventHandler<TArguments> handler in Delegate.EnumerateInvocationList(Announced))
        {
            try
            {
                handler(Sender, what);
            }
            catch (Exception)
            {
                // A handler's fault is not the cache's, nor the other handlers'.
            }
        }
    }
}
