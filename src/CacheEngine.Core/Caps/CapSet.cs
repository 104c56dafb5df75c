using System.Diagnostics.CodeAnalysis;

namespace CacheEngine;

/// <summary>
/// A set of capability bits: what a session may do with one cached object without asking. Printed as <c>pAsLsXsFscr</c>.
/// </summary>
/// <remarks>
/// The layout and the letters are those of CephFS, so that dumps read like its traces: <c>p</c> pins the object, then one group each for
/// access data (<c>A</c>), links (<c>L</c>), tags (<c>X</c>) and the value (<c>F</c>). Inside a group <c>s</c> is shared, <c>x</c> exclusive,
/// and for the value <c>c</c> cache, <c>r</c> read, <c>w</c> write, <c>b</c> buffer, <c>a</c> extend, <c>l</c> lazy. Immutable and thread-safe;
/// the default value is the empty set.
/// </remarks>
public readonly struct CapSet : IEquatable<CapSet>, ISpanFormattable, ISpanParsable<CapSet>
{
    /// <summary>The longest readable form of the defined bits, in characters.</summary>
    public const int MaxFormattedLength = 19;

    private const int AuthShift = 2;
    private const int LinkShift = 4;
    private const int XattrShift = 6;
    private const int FileShift = 8;
    private const string GroupLetters = "ALXF";
    private const string GenericLetters = "sxcrwbal";

    private CapSet(uint bits) => Bits = bits;

    /// <summary>The raw bits, as they travel on the wire.</summary>
    public uint Bits { get; }

    /// <summary>No right at all.</summary>
    public static CapSet None => default;

    /// <summary>The object may stay known to the session.</summary>
    public static CapSet Pin => new(0x0001);

    /// <summary>The access data is coherent and may be read.</summary>
    public static CapSet AuthShared => new(0x0004);

    /// <summary>The access data may be changed locally.</summary>
    public static CapSet AuthExcl => new(0x0008);

    /// <summary>The reference count is coherent and may be read.</summary>
    public static CapSet LinkShared => new(0x0010);

    /// <summary>The reference count may be changed locally.</summary>
    public static CapSet LinkExcl => new(0x0020);

    /// <summary>The tags are coherent and may be read.</summary>
    public static CapSet XattrShared => new(0x0040);

    /// <summary>The tags may be changed locally.</summary>
    public static CapSet XattrExcl => new(0x0080);

    /// <summary>The value's version and size are coherent and may be read.</summary>
    public static CapSet FileShared => new(0x0100);

    /// <summary>The value's version and size may be changed locally.</summary>
    public static CapSet FileExcl => new(0x0200);

    /// <summary>The value may be kept and served from memory.</summary>
    public static CapSet FileCache => new(0x0400);

    /// <summary>The value may be read.</summary>
    public static CapSet FileRead => new(0x0800);

    /// <summary>The value may be written.</summary>
    public static CapSet FileWrite => new(0x1000);

    /// <summary>Writes may be delayed in a buffer.</summary>
    public static CapSet FileBuffer => new(0x2000);

    /// <summary>The value may be written past its granted size.</summary>
    public static CapSet FileWriteExtend => new(0x4000);

    /// <summary>Carried for completeness; the lazy mode is not offered.</summary>
    public static CapSet FileLazyIO => new(0x8000);

    /// <summary>All shared bits, <c>AsLsXsFs</c>.</summary>
    public static CapSet AnyShared => new(0x0154);

    /// <summary>All bits that reading can use, <c>AsLsXsFscr</c>.</summary>
    public static CapSet AnyRead => new(0x0D54);

    /// <summary>The bits that serve a value from memory, <c>Fscr</c>.</summary>
    public static CapSet AnyFileRead => new(0x0D00);

    /// <summary>All exclusive bits, <c>AxLxXxFx</c>.</summary>
    public static CapSet AnyExcl => new(0x02A8);

    /// <summary>The bits that change a value, <c>Fxwb</c>.</summary>
    public static CapSet AnyFileWrite => new(0x3200);

    /// <summary>All bits that change something.</summary>
    public static CapSet AnyWrite => new(0x32A8);

    /// <summary>All bits that a session may be granted.</summary>
    public static CapSet Any => new(0xBFFD);

    /// <summary>True when no bit is set.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>The set with exactly these raw bits, defined or not.</summary>
    public static CapSet FromBits(uint bits) => new(bits);

    /// <summary>True when every bit of <paramref name="other"/> is in this set; always true of the empty set.</summary>
    public bool Contains(CapSet other) => (Bits & other.Bits) == other.Bits;

    /// <summary>True when at least one bit is in both sets.</summary>
    public bool Overlaps(CapSet other) => (Bits & other.Bits) != 0;

    /// <summary>The bits that are in either set.</summary>
    public static CapSet operator |(CapSet left, CapSet right) => new(left.Bits | right.Bits);

    /// <summary>The bits that are in both sets.</summary>
    public static CapSet operator &(CapSet left, CapSet right) => new(left.Bits & right.Bits);

    /// <summary>The bits of <paramref name="left"/> that are not in <paramref name="right"/>.</summary>
    public static CapSet operator -(CapSet left, CapSet right) => new(left.Bits & ~right.Bits);

    /// <summary>Whether both sets hold the same bits.</summary>
    public static bool operator ==(CapSet left, CapSet right) => left.Bits == right.Bits;

    /// <summary>Whether the sets differ in at least one bit.</summary>
    public static bool operator !=(CapSet left, CapSet right) => left.Bits != right.Bits;

    /// <inheritdoc/>
    public bool Equals(CapSet other) => Bits == other.Bits;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is CapSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)Bits;

    /// <summary>The readable form; <c>-</c> for a set that has nothing to print.</summary>
    public override string ToString()
    {
        Span<char> text = stackalloc char[MaxFormattedLength];
        _ = TryFormat(text, out int written, default, null);
        return new string(text[..written]);
    }

    /// <summary>The readable form; no format string and no provider changes it.</summary>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <summary>Writes the readable form.</summary>
    /// <returns>False, with nothing promised about <paramref name="destination"/>, when it is too short;
    /// <see cref="MaxFormattedLength"/> characters always suffice.</returns>
    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        charsWritten = 0;
        Span<char> text = stackalloc char[MaxFormattedLength];
        int length = 0;
        if (Contains(Pin))
        {
            text[length++] = 'p';
        }

        ReadOnlySpan<int> shifts = [AuthShift, LinkShift, XattrShift, FileShift];
        for (int group = 0; group < shifts.Length; group++)
        {
            bool isFile = shifts[group] == FileShift;
            uint generic = isFile ? Bits >> FileShift : (Bits >> shifts[group]) & 3;
            if (generic == 0)
            {
                continue;
            }

            text[length++] = GroupLetters[group];
            for (int bit = 0; bit < GenericLetters.Length; bit++)
            {
                if ((generic & (1u << bit)) != 0)
                {
                    text[length++] = GenericLetters[bit];
                }
            }
        }

        if (length == 0)
        {
            text[length++] = '-';
        }

        if (!text[..length].TryCopyTo(destination))
        {
            return false;
        }

        charsWritten = length;
        return true;
    }

    /// <summary>Reads the readable form.</summary>
    /// <exception cref="FormatException">The text is not of that form.</exception>
    public static CapSet Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out CapSet result)
            ? result
            : throw new FormatException($"'{s}' is not a capability set; expected '-' or [p][As x][Ls x][Xs x][F s x c r w b a l] with the letters in that order.");

    /// <summary>Reads the readable form.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="s"/> is null.</exception>
    /// <exception cref="FormatException">The text is not of that form.</exception>
    public static CapSet Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <summary>Reads the readable form; false and the empty set for anything else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out CapSet result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <summary>Reads the readable form; false and the empty set for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out CapSet result)
    {
        result = default;
        if (s is "-")
        {
            return true;
        }

        int at = 0;
        uint bits = 0;
        if (at < s.Length && s[at] == 'p')
        {
            bits = 1;
            at++;
        }

        ReadOnlySpan<int> shifts = [AuthShift, LinkShift, XattrShift, FileShift];
        for (int group = 0; group < shifts.Length && at < s.Length; group++)
        {
            if (s[at] != GroupLetters[group])
            {
                continue;
            }

            at++;
            bool isFile = shifts[group] == FileShift;
            int letters = isFile ? GenericLetters.Length : 2;
            int before = at;
            for (int bit = 0; bit < letters && at < s.Length; bit++)
            {
                if (s[at] == GenericLetters[bit])
                {
                    bits |= 1u << (shifts[group] + bit);
                    at++;
                }
            }

            // A bare F is what bits without a letter print; it names none of them, so it adds nothing.
            if (at == before && !isFile)
            {
                return false;
            }
        }

        if (at != s.Length || s.IsEmpty)
        {
            return false;
        }

        result = new CapSet(bits);
        return true;
    }
}
