using System.Collections.Concurrent;
using CacheEngine.Sync;

namespace CacheEngine.Flushing;

/// <summary>Tells user code of losses: one at a time, in order, never on a pump's stack. Bound: what was dirty, and nothing if nobody listens.</summary>
internal sealed class LossWatch
{
    private readonly ConcurrentQueue<LossReport> _untold = new();
    private int _isTelling;

    /// <summary>User code; what a handler throws is dropped, and the others are called all the same.</summary>
    public event EventHandler<WritesLostEventArgs>? Lost;

    /// <summary>Whose losses they are, as handlers know it.</summary>
    public object? Sender { get; set; }

    public void Tell(LossReport report)
    {
        if (Lost is null)
        {
            return;
        }

        _untold.Enqueue(report);

        // Edge LOSS-2 (full fence; other end: LOSS-1): whoever finds a teller at work relies on its last look, which follows the release.
        if (Interlocked.Exchange(ref _isTelling, 1) == 0)
        {
            _ = TellAllAsync();
        }
    }

    private async Task TellAllAsync()
    {
        await Task.CompletedTask.ConfigureAwait(EngineAwait.Yielding);

        // Bound: one round per loss.
        while (true)
        {
            while (_untold.TryDequeue(out LossReport? report))
            {
                Call(new WritesLostEventArgs(report));
            }

            // Edge LOSS-1 (full fence; other end: LOSS-2): released, then looked again; the other way round a loss in between would be told by nobody.
            Interlocked.Exchange(ref _isTelling, 0);
            if (_untold.IsEmpty || Interlocked.Exchange(ref _isTelling, 1) != 0)
            {
                return;
            }
        }
    }

    private void Call(WritesLostEventArgs loss)
    {
        foreach (EventHandler<WritesLostEventArgs> handler in Delegate.EnumerateInvocationList(Lost))
        {
            try
            {
                handler(Sender, loss);
            }
            catch (Exception)
            {
                // A handler's fault is not the cache's, nor the other handlers'.
            }
        }
    }
}
