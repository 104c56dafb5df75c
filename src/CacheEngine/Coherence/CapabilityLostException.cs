namespace CacheEngine;

/// <summary>
/// A right that an operation relied on was taken before the operation was over: this node was silent for too long, its session ended, or it held up
/// others for longer than its break timeout. Nothing that needs the right takes effect any more.
/// </summary>
public class CapabilityLostException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    public CapabilityLostException()
        : this("The right was taken before the operation was over.")
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public CapabilityLostException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public CapabilityLostException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
