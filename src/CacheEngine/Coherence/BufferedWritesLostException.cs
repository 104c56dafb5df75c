namespace CacheEngine;

/// <summary>Buffered writes were lost. Thrown once by the next flush that covers them, and by every flush that was waiting for them.</summary>
public sealed class BufferedWritesLostException : CapabilityLostException
{
    /// <summary>Creates the exception.</summary>
    public BufferedWritesLostException()
        : this("Buffered writes were lost.")
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public BufferedWritesLostException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public BufferedWritesLostException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates the exception for losses.</summary>
    public BufferedWritesLostException(IReadOnlyList<LossReport> losses)
        : base(Describe(losses)) => Losses = losses;

    /// <summary>What was lost, oldest first.</summary>
    public IReadOnlyList<LossReport> Losses { get; } = [];

    private static string Describe(IReadOnlyList<LossReport> losses)
    {
        ArgumentNullException.ThrowIfNull(losses);
        return losses.Count == 0 ? "Buffered writes were lost." : $"Buffered writes were lost: {losses[0]}{(losses.Count > 1 ? $" and {losses.Count - 1} more" : string.Empty)}.";
    }
}
