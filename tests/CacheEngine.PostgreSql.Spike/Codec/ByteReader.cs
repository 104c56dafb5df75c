using System.Buffers.Binary;

namespace CacheEngine.PostgreSql.Codec;

/// <summary>Reads what a <see cref="ByteWriter"/> wrote. Every read is checked against the end; what does not fit is refused whole.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public byte Byte() => Take(1)[0];

    public bool Flag() => Byte() switch
    {
        0 => false,
        1 => true,
        byte other => throw new InvalidDataException($"A flag is {other}."),
    };

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public ulong UInt64() => unchecked((ulong)Int64());

    public byte[] Bytes()
    {
        uint length = UInt32();
        return length <= _rest.Length ? Take((int)length).ToArray() : throw Short();
    }

    /// <summary>How many entries follow; never more than the rest can hold.</summary>
    /// <param name="smallest">The least number of bytes of one entry.</param>
    public int Count(int smallest)
    {
        uint count = UInt32();
        return count <= _rest.Length / smallest ? (int)count : throw Short();
    }

    /// <summary>A value of an enumeration that goes up to <paramref name="last"/> without gaps.</summary>
    public byte UpTo(byte last)
    {
        byte value = Byte();
        return value <= last ? value : throw new InvalidDataException($"{value} is not defined; the last is {last}.");
    }

    public readonly void End()
    {
        if (_rest.Length != 0)
        {
            throw new InvalidDataException($"{_rest.Length} bytes are left over.");
        }
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Short();
        }

        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private static InvalidDataException Short() => new("The bytes end too early.");
}
