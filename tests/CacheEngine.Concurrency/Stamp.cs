namespace CacheEngine.Concurrency;

/// <summary>A value of four words that must belong together: a torn read is seen as a value that nobody wrote.</summary>
internal readonly record struct Stamp(long Value, long Second, long Third, long Fourth)
{
    public const long Torn = -1;

    public static Stamp Of(long value) => new(value, ~value, value * 31, value ^ 0x5DEECE66D);

    /// <summary>The value's id, or <see cref="Torn"/>.</summary>
    public long Checked() => this == Of(Value) ? Value : Torn;
}
