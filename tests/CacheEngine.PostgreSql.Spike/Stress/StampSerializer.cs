using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine.PostgreSql.Stress;

/// <summary>A number and its complement: a torn or invented value is seen as one that nobody wrote.</summary>
internal sealed class StampSerializer : IHybridCacheSerializer<long>
{
    public const long Torn = -1;

    public long Deserialize(ReadOnlySequence<byte> source)
    {
        Span<byte> bytes = stackalloc byte[16];
        source.CopyTo(bytes);
        long value = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return value == ~BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]) ? value : Torn;
    }

    public void Serialize(long value, IBufferWriter<byte> target)
    {
        Span<byte> bytes = target.GetSpan(16);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], ~value);
        target.Advance(16);
    }
}
