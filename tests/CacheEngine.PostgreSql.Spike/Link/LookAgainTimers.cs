using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Sync;

namespace CacheEngine.PostgreSql.Link;

/// <summary>The records at which this process's own requests wait for time to pass. Bound: one timer a record.</summary>
internal sealed class LookAgainTimers(IRecordStore store, EngineClock clock, Action<Exception> onFailure, CancellationToken stopping) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<InodeId, long> _armed = [];
    private readonly Lock _lock = new();
    private int _running;

    public void Add(InodeId id, long at)
    {
        lock (_lock)
        {
            if (_armed.TryGetValue(id, out long armedFor) && armedFor <= at)
            {
                return;
            }

            _armed[id] = at;
            _running++;
        }

        _ = LookAsync(id, at);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The token is cancelled: whoever runs ends soon. Bound: the store's own time limits.
        while (Volatile.Read(ref _running) > 0)
        {
            await Task.Delay(5);
        }
    }

    private async Task LookAsync(InodeId id, long at)
    {
        try
        {
            TimeSpan wait = TimeSpan.FromMilliseconds(Math.Max(0, at - clock.Now));
            await Task.Delay(wait, clock.Provider, stopping);
            lock (_lock)
            {
                if (!_armed.TryGetValue(id, out long armedFor) || armedFor != at)
                {
                    return;
                }

                _armed.Remove(id);
            }

            await store.LookAsync(id, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Nobody waits any more.
        }
        catch (Exception exception)
        {
            onFailure(exception);
            Add(id, clock.Now + (long)RetryDelay.TotalMilliseconds);
        }
        finally
        {
            lock (_lock)
            {
                _running--;
            }
        }
    }
}
