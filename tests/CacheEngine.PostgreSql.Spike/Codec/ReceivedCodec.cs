using System.Buffers.Binary;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Codec;

/// <summary>The stored form of what a session has sent: the last number and the latest fingerprints, eight bytes each.</summary>
internal static class ReceivedCodec
{
    private const int Numbers = ReceivedWindow.Size + 1;

    public static byte[] Encode(in ReceivedWindow window)
    {
        Span<ulong> numbers = stackalloc ulong[Numbers];
        window.CopyTo(numbers);
        byte[] bytes = new byte[Numbers * sizeof(ulong)];
        for (int i = 0; i < Numbers; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)), numbers[i]);
        }

        return bytes;
    }

    /// <exception cref="InvalidDataException">The bytes are not a window.</exception>
    public static ReceivedWindow Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Numbers * sizeof(ulong))
        {
            throw new InvalidDataException($"A window of received messages has {Numbers * sizeof(ulong)} bytes, not {bytes.Length}.");
        }

        Span<ulong> numbers = stackalloc ulong[Numbers];
        for (int i = 0; i < Numbers; i++)
        {
            numbers[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * sizeof(ulong))..]);
        }

        return ReceivedWindow.From(numbers);
    }
}
