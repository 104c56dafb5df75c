namespace CacheEngine.Load.Scenarios;

/// <summary>How one operation ended.</summary>
/// <param name="Step">What it turned out to be, such as "hits" or "write": operations of one step are measured together.</param>
/// <param name="Failure">Why it failed, in a word or two that failures can be counted by; null if it did not.</param>
public readonly record struct OperationResult(string Step, string? Failure)
{
    /// <summary>The failure that no run may have: a read called after something newer had been seen returned something older.</summary>
    public const string StaleFailure = "stale";

    public bool IsOk => Failure is null;

    public static OperationResult Ok(string step) => new(step, null);

    public static OperationResult Stale(string step) => new(step, StaleFailure);

    public static OperationResult Failed(string step, string reason) => new(step, reason);
}
