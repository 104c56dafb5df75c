using CacheEngine.Scenarios.Print;

namespace CacheEngine.Scenarios.Stage;

/// <summary>One call of the application, from the command that makes it to its outcome.</summary>
/// <param name="text">The command, which names it.</param>
/// <param name="names">Short names for long numbers.</param>
internal sealed class Call(string text, Names names)
{
    private readonly CancellationTokenSource _cancellation = new();

    public string Text => text;

    public bool IsOver { get; private set; }

    public void Cancel() => _cancellation.Cancel();

    /// <summary>Runs to the outcome and prints it. Whatever is thrown is an outcome; one that has no words here is told by its type.</summary>
    public async Task RunAsync(Trace trace, Func<CancellationToken, ValueTask<string>> operation)
    {
        string outcome;
        try
        {
            outcome = await operation(_cancellation.Token);
        }
        catch (Exception exception)
        {
            outcome = exception switch
            {
                AuthorityUnavailableException { IsOutcomeUnknown: true } => "unavailable, outcome unknown",
                AuthorityUnavailableException => "unavailable",
                WriteCanceledException => "cancelled, outcome unknown",
                OperationCanceledException => "cancelled",
                BufferedWritesLostException lost => $"lost {string.Join(", ", lost.Losses.Select(names.Loss))}",
                CapabilityLostException => "right lost",
                ObjectDisposedException => "closed",
                _ => $"{exception.GetType().Name}: {exception.Message}",
            };
        }

        IsOver = true;
        trace.Add($"{text} => {outcome}");
    }
}
