using System.Diagnostics;

namespace CacheEngine.Bench.Ratios;

/// <summary>
/// One contender: a pass that does a fixed number of operations, repeated on each thread until a slice of time is over. The median pass counts, so that
/// those in which the thread lost its core do not.
/// </summary>
/// <param name="name">What the printed line says.</param>
/// <param name="threads">How many threads run it at once.</param>
/// <param name="operations">How many operations a pass does.</param>
/// <param name="pass">Does one pass from an offset on and returns how many operations succeeded.</param>
internal sealed class Loop(string name, int threads, int operations, Func<int, int> pass)
{
    private const int MaxPasses = 1 << 16;

    private readonly long[][] _ticks = [.. Enumerable.Range(0, threads).Select(_ => new long[MaxPasses])];

    public string Name => name;

    public Sample Take(TimeSpan slice)
    {
        var samples = new Sample[threads];
        Crew.Run(threads, thread => samples[thread] = TakeOn(thread, slice));
        return new Sample(samples.Average(sample => sample.Nanoseconds), samples.Average(sample => sample.Bytes));
    }

    private Sample TakeOn(int thread, TimeSpan slice)
    {
        long[] ticks = _ticks[thread];
        int passes = 0;
        int offset = thread << 16;
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        long end = start + (long)(slice.TotalSeconds * Stopwatch.Frequency);
        long at = start;
        do
        {
            Expect.All(pass(offset), operations);
            offset = unchecked(offset + operations);
            long now = Stopwatch.GetTimestamp();
            ticks[passes++] = now - at;
            at = now;
        }
        while (at < end && passes < MaxPasses);

        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        return new Sample(Median.Of(ticks.AsSpan(0, passes)) * 1e9 / Stopwatch.Frequency / operations, (double)bytes / passes / operations);
    }
}
