namespace CacheEngine.Bench.Ratios;

/// <summary>What one slice of a loop has shown, per operation and thread.</summary>
internal readonly record struct Sample(double Nanoseconds, double Bytes);
