using CacheEngine.Arbitration;
using CacheEngine.Sessions;

namespace CacheEngine.Coherence;

/// <summary>What callers are told when an operation did not end as they wished: the one place where statuses become exceptions.</summary>
internal static class Outcomes
{
    /// <summary>The result of a read, if it is one.</summary>
    public static OperationResult OfRead(in OperationResult result, CancellationToken cancellationToken) => result.Status switch
    {
        OperationStatus.Canceled => throw new OperationCanceledException(cancellationToken),
        OperationStatus.Disposed => throw new ObjectDisposedException(nameof(CoherentCache)),
        OperationStatus.Unavailable => throw new AuthorityUnavailableException("The authority did not answer in time, or the session ended first."),
        _ => result,
    };

    /// <summary>The result of a change, if it was applied or refused for its precondition.</summary>
    public static OperationResult OfChange(in OperationResult result, CancellationToken cancellationToken) => result.Status switch
    {
        OperationStatus.Canceled when result.IsOutcomeUnknown => throw new WriteCanceledException(cancellationToken),
        OperationStatus.Unavailable when result.IsOutcomeUnknown => throw new AuthorityUnavailableException(
            "The authority did not answer in time, or the session ended first: the write may or may not take effect.")
        { IsOutcomeUnknown = true },
        OperationStatus.Unavailable => throw new AuthorityUnavailableException("There was no authority to send the write to: nothing was changed."),
        OperationStatus.Refused when result.Refusal == Refusal.RightLost => throw new CapabilityLostException(
            "The right to change the object was taken before the change was over: nothing was changed at the authority."),
        _ => OfRead(result, cancellationToken),
    };
}
