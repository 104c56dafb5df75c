using System.Runtime.CompilerServices;

namespace CacheEngine.Sessions;

/// <summary>What a numbered message is to somebody who has taken in those before it.</summary>
internal enum Reception : byte
{
    /// <summary>The next one.</summary>
    Next,

    /// <summary>It has been taken in: its effect and its answer stand.</summary>
    Repeated,

    /// <summary>Its number was used by another message.</summary>
    Contradicts,

    /// <summary>One before it is missing.</summary>
    Gap,
}

/// <summary>
/// The messages of one session that an authority has taken in: the number of the last, and a fingerprint of the latest <see cref="Size"/>.
/// </summary>
/// <remarks>A repeated message has one effect and one answer, however often it comes; one that says something else under a used number is refused.
/// A repetition that is older than the window counts as what it claims to be.</remarks>
internal struct ReceivedWindow
{
    public const int Size = 64;

    private Fingerprints _fingerprints;

    public MessageSeq Last { get; private set; }

    /// <summary>Judges a message; if it is the next, it counts as taken in.</summary>
    public Reception Take(MessageSeq seq, ulong fingerprint)
    {
        if (seq.Value > Last.Value + 1)
        {
            return Reception.Gap;
        }

        ref ulong seen = ref _fingerprints[(int)(seq.Value % Size)];
        if (seq.Value <= Last.Value)
        {
            bool isKnown = seq.Value + Size > Last.Value;
            return isKnown && seen != fingerprint ? Reception.Contradicts : Reception.Repeated;
        }

        Last = seq;
        seen = fingerprint;
        return Reception.Next;
    }

    /// <summary>Writes the window down, for a store that keeps it: <see cref="Size"/> + 1 numbers.</summary>
    public readonly void CopyTo(Span<ulong> numbers)
    {
        numbers[0] = Last.Value;
        for (int i = 0; i < Size; i++)
        {
            numbers[i + 1] = _fingerprints[i];
        }
    }

    /// <summary>The window that was written down.</summary>
    public static ReceivedWindow From(ReadOnlySpan<ulong> numbers)
    {
        var window = new ReceivedWindow { Last = new MessageSeq(numbers[0]) };
        for (int i = 0; i < Size; i++)
        {
            window._fingerprints[i] = numbers[i + 1];
        }

        return window;
    }

    [InlineArray(Size)]
    private struct Fingerprints
    {
        private ulong _element;
    }
}
