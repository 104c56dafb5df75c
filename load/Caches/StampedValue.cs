using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine.Load.Caches;

/// <summary>A cached value that tells how old it is, with a body of the size of a small record. Immutable.</summary>
public sealed class StampedValue
{
    /// <summary>The bytes of a body, beside the stamp.</summary>
    public const int BodyBytes = 120;

    private readonly byte[] _body;

    private StampedValue(long stamp, byte[] body)
    {
        Stamp = stamp;
        _body = body;
    }

    /// <summary>Grows with every write of the key; zero before the first.</summary>
    public long Stamp { get; }

    public static StampedValue Create(long stamp) => new(stamp, new byte[BodyBytes]);

    /// <summary>How a value crosses to the authority and back.</summary>
    internal sealed class Serializer : IHybridCacheSerializer<StampedValue>
    {
        public StampedValue Deserialize(ReadOnlySequence<byte> source)
        {
            Span<byte> stamp = stackalloc byte[sizeof(long)];
            source.Slice(0, sizeof(long)).CopyTo(stamp);
            return new StampedValue(BinaryPrimitives.ReadInt64LittleEndian(stamp), source.Slice(sizeof(long)).ToArray());
        }

        public void Serialize(StampedValue value, IBufferWriter<byte> target)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target.GetSpan(sizeof(long)), value.Stamp);
            target.Advance(sizeof(long));
            target.Write(value._body);
        }
    }
}
