namespace CacheEngine.PostgreSql.Link;

/// <summary>A flag that one loop waits for: setting it twice before it is seen is setting it once.</summary>
internal sealed class Signal
{
    private readonly SemaphoreSlim _set = new(0, 1);

    public void Set()
    {
        lock (_set)
        {
            if (_set.CurrentCount == 0)
            {
                _set.Release();
            }
        }
    }

    /// <summary>Takes it back.</summary>
    public void Reset() => _set.Wait(0);

    /// <summary>Waits until it is set, at most for a time, and takes it back.</summary>
    public Task<bool> WaitAsync(TimeSpan atMost) => _set.WaitAsync(atMost);
}
