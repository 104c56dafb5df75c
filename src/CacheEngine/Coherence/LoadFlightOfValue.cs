using CacheEngine.Inodes;
using CacheEngine.Sync;

namespace CacheEngine.Coherence;

/// <summary>The load that callers of one node share, with its outcome.</summary>
internal sealed class LoadFlight<TValue>(long timeToLive) : LoadFlight
{
    private readonly TaskCompletionSource<TValue> _outcome = new(EngineAwait.Completion);
    private readonly CancellationTokenSource _cancellation = new();

    /// <summary>How long the value lives, in milliseconds; zero: for ever. The first caller decides.</summary>
    public long TimeToLive => timeToLive;

    /// <summary>Fires when every caller has given up.</summary>
    public CancellationToken Token => _cancellation.Token;

    public Task<TValue> Outcome => _outcome.Task;

    public void Cancel() => _cancellation.Cancel();

    public void Succeed(TValue value) => _outcome.TrySetResult(value);

    public void Fail(Exception exception)
    {
        if (exception is OperationCanceledException && _cancellation.IsCancellationRequested)
        {
            _outcome.TrySetCanceled(_cancellation.Token);
            return;
        }

        _outcome.TrySetException(exception);

        // Observed here: all callers may have given up, and then nobody else looks.
        _ = _outcome.Task.Exception;
    }
}
