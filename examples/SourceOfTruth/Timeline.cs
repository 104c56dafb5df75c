using CacheEngine;

namespace SourceOfTruth;

/// <summary>Prints who did what, and when since the act began. Thread-safe.</summary>
internal sealed class Timeline
{
    // A fence begins with the time at which the authority began; its last digits tell those of one run apart.
    private const int FenceDigits = 4;

    private readonly Lock _lock = new();
    private long _start = TimeProvider.System.GetTimestamp();

    public void Begin(string act)
    {
        lock (_lock)
        {
            _start = TimeProvider.System.GetTimestamp();
            Console.WriteLine();
            Console.WriteLine(act);
        }
    }

    public void Say(string node, string what, Fence? fence = null)
    {
        string number = fence is { } given ? $"fence ..{given.ToString()[^FenceDigits..]}" : string.Empty;
        lock (_lock)
        {
            Console.WriteLine($"  {TimeProvider.System.GetElapsedTime(_start).TotalSeconds,6:F3} s  {node,-6} {what,-76} {number}".TrimEnd());
        }
    }
}
