using System.Numerics;

namespace CacheEngine.Load.Measuring;

/// <summary>
/// Counts latencies in buckets whose width grows with what they hold: 256 to each power of two, so a percentile is at most 0.4 % too high, from
/// a nanosecond to three centuries, in 112 KiB. Recording is thread-safe, allocates nothing and never waits; read it when the run is over.
/// </summary>
/// <remarks>The scheme of HdrHistogram (Gil Tene).</remarks>
internal sealed class LatencyHistogram
{
    private const int SubBucketBits = 8;
    private const int SubBuckets = 1 << SubBucketBits;

    private readonly long[] _counts = new long[IndexOf(long.MaxValue) + 1];
    private long _max;
    private long _sum;

    public long Count => _counts.Sum();

    public long Max => Volatile.Read(ref _max);

    public double Mean => Count is var count and > 0 ? (double)Volatile.Read(ref _sum) / count : 0;

    /// <summary>Counts one latency; what is below zero counts as zero.</summary>
    public void Record(long nanoseconds)
    {
        nanoseconds = Math.Max(0, nanoseconds);
        Interlocked.Increment(ref _counts[IndexOf(nanoseconds)]);
        Interlocked.Add(ref _sum, nanoseconds);
        RaiseMax(nanoseconds);
    }

    /// <summary>Takes in what another one has counted.</summary>
    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        _sum += other._sum;
        RaiseMax(other._max);
    }

    /// <summary>The latency in nanoseconds that this share of all did not pass; zero if there was none.</summary>
    public long Percentile(double share)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(share * Count));
        long passed = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            passed += _counts[i];
            if (passed >= wanted)
            {
                return Math.Min(HighestOf(i), Max);
            }
        }

        return 0;
    }

    /// <summary>The bucket of a value. Below 512 each value has its own; above, the nine highest bits decide.</summary>
    internal static int IndexOf(long value)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)value) - SubBucketBits);
        return (shift * SubBuckets) + (int)(value >> shift);
    }

    /// <summary>The highest value of a bucket.</summary>
    internal static long HighestOf(int index)
    {
        int shift = Math.Max(0, (index / SubBuckets) - 1);
        long bits = index - (shift * SubBuckets);
        return (long)(((ulong)(bits + 1) << shift) - 1);
    }

    private void RaiseMax(long value)
    {
        long max = Volatile.Read(ref _max);
        while (value > max)
        {
            long found = Interlocked.CompareExchange(ref _max, value, max);
            if (found == max)
            {
                return;
            }

            max = found;
        }
    }
}
