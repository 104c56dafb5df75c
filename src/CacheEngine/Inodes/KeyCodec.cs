using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CacheEngine.Protocol;

namespace CacheEngine;

/// <summary>
/// Gives a key's canonical bytes. Two keys name the same entry exactly when their bytes are equal.
/// </summary>
/// <remarks>
/// All caches of a region must use the same codec; its <see cref="Name"/> is what the authority compares. Implementations must be pure and
/// thread-safe, and must not call back into a cache.
/// </remarks>
/// <typeparam name="TKey">The type of the keys.</typeparam>
public interface IKeyCodec<in TKey>
{
    /// <summary>Identifies the encoding, for example <c>string-ordinal</c>. Change it when the bytes change.</summary>
    string Name { get; }

    /// <summary>The exact number of bytes of the key's canonical form, 1 to <see cref="KeyCodec.MaxKeyBytes"/>.</summary>
    int GetByteCount(TKey key);

    /// <summary>Writes the canonical form; <paramref name="destination"/> has exactly <see cref="GetByteCount"/> bytes.</summary>
    void Encode(TKey key, Span<byte> destination);
}

/// <summary>The built-in key codecs.</summary>
public static class KeyCodec
{
    /// <summary>The longest canonical form of a key, in bytes.</summary>
    public const int MaxKeyBytes = MessageRules.MaxKeyBytes;

    private static readonly object[] BuiltIn =
    [
        new TextCodec(),
        new FixedCodec<int>("int32", sizeof(int), static (key, bytes) => BinaryPrimitives.WriteInt32LittleEndian(bytes, key)),
        new FixedCodec<uint>("uint32", sizeof(uint), static (key, bytes) => BinaryPrimitives.WriteUInt32LittleEndian(bytes, key)),
        new FixedCodec<long>("int64", sizeof(long), static (key, bytes) => BinaryPrimitives.WriteInt64LittleEndian(bytes, key)),
        new FixedCodec<ulong>("uint64", sizeof(ulong), static (key, bytes) => BinaryPrimitives.WriteUInt64LittleEndian(bytes, key)),
        new FixedCodec<short>("int16", sizeof(short), static (key, bytes) => BinaryPrimitives.WriteInt16LittleEndian(bytes, key)),
        new FixedCodec<Guid>("guid", 16, static (key, bytes) => key.TryWriteBytes(bytes, bigEndian: true, out _)),
        new BytesCodec(),
    ];

    /// <summary>The codec for strings (ordinal), 16-, 32- and 64-bit integers, <see cref="Guid"/> and byte arrays.</summary>
    /// <remarks>A byte array given as a key must not be changed afterwards.</remarks>
    /// <exception cref="NotSupportedException">There is none for the type; give one in the options.</exception>
    public static IKeyCodec<TKey> For<TKey>() =>
        FindBuiltIn<TKey>()
        ?? throw new NotSupportedException($"There is no built-in key codec for {typeof(TKey)}; set the option KeyCodec.");

    internal static IKeyCodec<TKey>? FindBuiltIn<TKey>()
    {
        foreach (object codec in BuiltIn)
        {
            if (codec is IKeyCodec<TKey> found)
            {
                return found;
            }
        }

        return null;
    }

    private sealed class TextCodec : IKeyCodec<string>
    {
        public string Name => "string-ordinal";

        public int GetByteCount(string key) => Math.Max(1, key.Length * sizeof(char));

        public void Encode(string key, Span<byte> destination)
        {
            if (key.Length == 0)
            {
                // One byte: no other string has an odd length.
                destination[0] = 0;
                return;
            }

            if (BitConverter.IsLittleEndian)
            {
                MemoryMarshal.AsBytes(key.AsSpan()).CopyTo(destination);
                return;
            }

            for (int i = 0; i < key.Length; i++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(destination[(i * sizeof(char))..], key[i]);
            }
        }
    }

    private sealed class FixedCodec<TKey>(string name, int length, FixedCodec<TKey>.Writer write) : IKeyCodec<TKey>
        where TKey : struct
    {
        public delegate void Writer(TKey key, Span<byte> destination);

        public string Name => name;

        public int GetByteCount(TKey key) => length;

        public void Encode(TKey key, Span<byte> destination) => write(key, destination);
    }

    private sealed class BytesCodec : IKeyCodec<byte[]>
    {
        public string Name => "bytes";

        public int GetByteCount(byte[] key) => key.Length;

        public void Encode(byte[] key, Span<byte> destination) => key.CopyTo(destination);
    }
}
