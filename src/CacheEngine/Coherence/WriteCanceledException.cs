namespace CacheEngine;

/// <summary>
/// The wait for a write was cancelled after the write had been sent: it may or may not take effect, now or later. A write that had not been sent is
/// withdrawn, and a plain <see cref="OperationCanceledException"/> says that nothing came of it.
/// </summary>
public sealed class WriteCanceledException : OperationCanceledException
{
    /// <summary>Creates the exception.</summary>
    public WriteCanceledException()
        : this(default(CancellationToken))
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public WriteCanceledException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public WriteCanceledException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates the exception for a token that fired.</summary>
    public WriteCanceledException(CancellationToken token)
        : base("The wait was cancelled after the write had been sent: it may or may not take effect.", token)
    {
    }
}
