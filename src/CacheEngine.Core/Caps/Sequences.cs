namespace CacheEngine.Caps;

/// <summary>The number of the last authority message about one cap. 32 bits that wrap; compare only through the operators.</summary>
internal readonly record struct CapSeq(uint Value)
{
    public CapSeq Next() => new(unchecked(Value + 1));

    public static bool operator >(CapSeq left, CapSeq right) => SerialNumber.Compare(left.Value, right.Value) > 0;

    public static bool operator <(CapSeq left, CapSeq right) => SerialNumber.Compare(left.Value, right.Value) < 0;

    public static bool operator >=(CapSeq left, CapSeq right) => SerialNumber.Compare(left.Value, right.Value) >= 0;

    public static bool operator <=(CapSeq left, CapSeq right) => SerialNumber.Compare(left.Value, right.Value) <= 0;

    public override string ToString() => Value.ToString(null, null);
}

/// <summary>The <see cref="CapSeq"/> at which rights were last issued. What names an older one speaks of rights that have been issued again since.</summary>
internal readonly record struct IssueSeq(uint Value)
{
    public static IssueSeq At(CapSeq seq) => new(seq.Value);

    public static bool operator >(IssueSeq left, IssueSeq right) => SerialNumber.Compare(left.Value, right.Value) > 0;

    public static bool operator <(IssueSeq left, IssueSeq right) => SerialNumber.Compare(left.Value, right.Value) < 0;

    public bool IsAfter(CapSeq seq) => SerialNumber.Compare(Value, seq.Value) > 0;
}

/// <summary>The identity of one grant, chosen by the authority and never reused.</summary>
internal readonly record struct CapId(ulong Value);

/// <summary>Serial-number arithmetic: which of two wrapping 32-bit numbers is newer (RFC 1982's idea, the sign of the difference).</summary>
internal static class SerialNumber
{
    public static int Compare(uint left, uint right) => unchecked((int)(left - right));
}
