namespace CacheEngine;

/// <summary>
/// The authority did not answer in time, or the session ended before it did. Reads may be repeated; see <see cref="IsOutcomeUnknown"/> for writes.
/// </summary>
public sealed class AuthorityUnavailableException : IOException
{
    /// <summary>Creates the exception.</summary>
    public AuthorityUnavailableException()
        : this("The authority did not answer.")
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public AuthorityUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public AuthorityUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether a write was under way: it may or may not take effect, now or later.</summary>
    public bool IsOutcomeUnknown { get; init; }
}
