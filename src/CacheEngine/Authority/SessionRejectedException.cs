namespace CacheEngine;

/// <summary>The authority will never open this session: the region holds something else than the cache was opened for. To ask again is in vain.</summary>
public sealed class SessionRejectedException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    public SessionRejectedException()
        : this("The authority refuses the session.")
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public SessionRejectedException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public SessionRejectedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
