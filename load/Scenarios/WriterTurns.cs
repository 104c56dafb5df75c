namespace CacheEngine.Load.Scenarios;

/// <summary>
/// Gives each key one writer at a time, and its writes a sequence. So the order of the sequence is the order of the writes, and a value tells by
/// itself how old it is, whichever way it was read. Thread-safe.
/// </summary>
internal sealed class WriterTurns(int keys)
{
    private readonly int[] _isTaken = new int[keys];
    private readonly long[] _last = new long[keys];

    /// <summary>Takes the turn of a key, or of the next one that nobody is writing.</summary>
    public int Take(int key)
    {
        // Bound: far fewer writes are under way than there are keys.
        while (Interlocked.Exchange(ref _isTaken[key], 1) != 0)
        {
            key = (key + 1) % _isTaken.Length;
        }

        return key;
    }

    /// <summary>The sequence of the next write; called by whoever has the turn.</summary>
    public long Next(int key) => ++_last[key];

    public void Release(int key) => Volatile.Write(ref _isTaken[key], 0);
}
