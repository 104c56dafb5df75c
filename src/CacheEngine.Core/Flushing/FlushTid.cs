namespace CacheEngine.Flushing;

/// <summary>
/// Names one flush record of one engine, for ever: given once when the record is sealed, and the same however often and to whomever it is sent. 64 bits,
/// never wraps. Zero: none.
/// </summary>
internal readonly record struct FlushTid(ulong Value)
{
    public static bool operator <(FlushTid left, FlushTid right) => left.Value < right.Value;

    public static bool operator >(FlushTid left, FlushTid right) => left.Value > right.Value;

    public static bool operator <=(FlushTid left, FlushTid right) => left.Value <= right.Value;

    public static bool operator >=(FlushTid left, FlushTid right) => left.Value >= right.Value;

    public FlushTid Next() => new(checked(Value + 1));

    public override string ToString() => Value.ToString(null, null);
}
