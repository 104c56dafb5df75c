namespace CacheEngine;

/// <summary>What a cache can do for its callers now. Reads that need no message go on in every state but the last, as far as rights are valid.</summary>
public enum CacheState
{
    /// <summary>The session is open and its lease valid: entries are served, questions answered.</summary>
    Serving,

    /// <summary>The session is open, but its lease has run out unrenewed: nothing is served, callers wait up to the operation timeout. The next answer of
    /// the authority brings everything back.</summary>
    Lapsed,

    /// <summary>There is no session: nothing is served, callers wait up to the operation timeout while the cache opens a new one by itself.</summary>
    Disconnected,

    /// <summary>The authority has refused, for good, to open another session: it is disposed, or its region holds something else by now. Operations fail at once; dispose
    /// the cache, or reset it if the cause is gone.</summary>
    Rejected,

    /// <summary>The cache is disposed.</summary>
    Disposed,
}

/// <summary>A change of a cache's state.</summary>
public sealed class CacheStateChangedEventArgs : EventArgs
{
    /// <summary>Creates the arguments.</summary>
    public CacheStateChangedEventArgs(CacheState previous, CacheState current)
    {
        Previous = previous;
        Current = current;
    }

    /// <summary>The state that was announced last.</summary>
    public CacheState Previous { get; }

    /// <summary>The state when the event was raised. Short-lived states may be passed over.</summary>
    public CacheState Current { get; }
}
