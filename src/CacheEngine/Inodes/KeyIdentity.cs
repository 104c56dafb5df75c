using System.Buffers;
using System.Runtime.CompilerServices;

namespace CacheEngine.Inodes;

/// <summary>
/// What a key is to the engine: its canonical bytes. Two keys are the same when their bytes are; the built-in forms skip the encoding.
/// </summary>
internal sealed class KeyIdentity<TKey>
    where TKey : notnull
{
    private const int StackBytes = 256;

    private readonly IKeyCodec<TKey> _codec;
    private readonly ulong _seed;
    private readonly bool _isBuiltIn;

    public KeyIdentity(IKeyCodec<TKey> codec, ulong seed)
    {
        _codec = codec;
        _seed = seed;
        _isBuiltIn = ReferenceEquals(codec, KeyCodec.FindBuiltIn<TKey>());
    }

    public ulong Seed => _seed;

    public string Name => _codec.Name;

    public bool IsOrdinalText => _isBuiltIn && typeof(TKey) == typeof(string);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(TKey key)
    {
        if (_isBuiltIn)
        {
            if (typeof(TKey) == typeof(long))
            {
                return KeyHash.OfInteger(Unsafe.BitCast<TKey, ulong>(key), _seed);
            }

            if (typeof(TKey) == typeof(int))
            {
                return KeyHash.OfInteger(Unsafe.BitCast<TKey, uint>(key), _seed);
            }

            if (key is string text)
            {
                return KeyHash.OfText(text, _seed);
            }
        }

        return HashEncoded(key);
    }

    /// <summary>Whether equal hashes mean equal keys: so it is for numbers, whose hash loses nothing.</summary>
    public bool IsHashExact
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (typeof(TKey) == typeof(long) || typeof(TKey) == typeof(int)) && _isBuiltIn;
    }

    /// <summary>Whether a stored key of a known hash is the one that is looked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsSame(TKey stored, ulong cookie, TKey key, ulong hash) => cookie == hash && (IsHashExact || Same(stored, key));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Same(TKey left, TKey right)
    {
        if (_isBuiltIn)
        {
            if (typeof(TKey).IsValueType)
            {
                return EqualityComparer<TKey>.Default.Equals(left, right);
            }

            if (left is string text)
            {
                return string.Equals(text, Unsafe.As<TKey, string>(ref right));
            }
        }

        return SameEncoded(left, right);
    }

    /// <summary>The key's canonical bytes, newly allocated.</summary>
    /// <exception cref="ArgumentException">The codec failed for this key.</exception>
    public byte[] Encode(TKey key)
    {
        byte[] bytes = new byte[Measure(key)];
        EncodeTo(key, bytes);
        return bytes;
    }

    private ulong HashEncoded(TKey key)
    {
        int length = Measure(key);
        byte[]? rented = null;
        Span<byte> bytes = length <= StackBytes ? stackalloc byte[StackBytes] : (rented = ArrayPool<byte>.Shared.Rent(length));
        bytes = bytes[..length];
        EncodeTo(key, bytes);
        ulong hash = KeyHash.OfBytes(bytes, _seed);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return hash;
    }

    private bool SameEncoded(TKey left, TKey right)
    {
        if (left is byte[] bytes && _isBuiltIn)
        {
            return bytes.AsSpan().SequenceEqual(Unsafe.As<TKey, byte[]>(ref right));
        }

        int length = Measure(left);
        if (length != Measure(right))
        {
            return false;
        }

        byte[] both = ArrayPool<byte>.Shared.Rent(2 * length);
        try
        {
            EncodeTo(left, both.AsSpan(0, length));
            EncodeTo(right, both.AsSpan(length, length));
            return both.AsSpan(0, length).SequenceEqual(both.AsSpan(length, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(both);
        }
    }

    private int Measure(TKey key)
    {
        int length;
        try
        {
            length = _codec.GetByteCount(key);
        }
        catch (Exception exception)
        {
            throw Failed(exception);
        }

        return length is > 0 and <= KeyCodec.MaxKeyBytes
            ? length
            : throw new ArgumentException($"A key must encode to 1 to {KeyCodec.MaxKeyBytes} bytes; codec '{_codec.Name}' says {length}.", nameof(key));
    }

    private void EncodeTo(TKey key, Span<byte> destination)
    {
        try
        {
            _codec.Encode(key, destination);
        }
        catch (Exception exception)
        {
            throw Failed(exception);
        }
    }

    private ArgumentException Failed(Exception inner) => new($"The key codec '{_codec.Name}' failed for this key.", "key", inner);
}
