using System.Globalization;

namespace CacheEngine;

/// <summary>
/// A number that grows with every exclusive right to one object, whoever gets it: the object's source accepts a write only if no greater one has been there.
/// </summary>
/// <remarks>
/// So a writer that lost its right without noticing can do no damage (Chubby calls it a sequencer). Store <see cref="Value"/> beside the row and write
/// with the condition <c>stored &lt;= given</c>, setting it in the same step. Fences of one object also grow over a restart of the authority, and
/// over its loss: their upper part is the authority's incarnation. Fences of two objects say nothing about each other.
/// </remarks>
/// <param name="Value">Positive; fits into a signed 64-bit column.</param>
public readonly record struct Fence(long Value) : IComparable<Fence>
{
    /// <summary>Whether the left fence was given earlier.</summary>
    public static bool operator <(Fence left, Fence right) => left.Value < right.Value;

    /// <summary>Whether the left fence was given later.</summary>
    public static bool operator >(Fence left, Fence right) => left.Value > right.Value;

    /// <summary>Whether the left fence was given earlier, or is the same.</summary>
    public static bool operator <=(Fence left, Fence right) => left.Value <= right.Value;

    /// <summary>Whether the left fence was given later, or is the same.</summary>
    public static bool operator >=(Fence left, Fence right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public int CompareTo(Fence other) => Value.CompareTo(other.Value);

    /// <summary>The number, in digits.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
