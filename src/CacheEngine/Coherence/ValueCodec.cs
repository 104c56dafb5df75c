using System.Buffers;
using System.Text;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine.Coherence;

/// <summary>
/// Turns a cache's values into payloads and back. Runs on callers' threads only, never in a pump, since serializers are user code.
/// </summary>
/// <remarks>A serialised value is one byte (0: null, 1: a value follows) and the serializer's bytes.</remarks>
internal sealed class ValueCodec<TValue>(IHybridCacheSerializer<TValue>? serializer, Func<TValue, long>? sizeOf = null)
{
    private const byte Null = 0;
    private const byte Present = 1;

    public Payload Encode(TValue value)
    {
        if (serializer is null)
        {
            return Payload.OfReference(value);
        }

        var writer = new ArrayBufferWriter<byte>();
        writer.GetSpan(1)[0] = value is null ? Null : Present;
        writer.Advance(1);
        if (value is not null)
        {
            serializer.Serialize(value, writer);
        }

        return Payload.OfBytes(writer.WrittenMemory);
    }

    /// <summary>A change that stores a value: as it crosses, and as this node serves it.</summary>
    public Change Change(TValue value, long timeToLive, long localExpiry)
    {
        Payload payload = Encode(value);
        return new Change
        {
            Payload = payload,
            LocalValue = payload.Kind == PayloadKind.Reference ? payload.Reference : value,
            HasLocalValue = true,
            Size = SizeOf(value, payload),
            TimeToLive = timeToLive,
            LocalExpiry = localExpiry,
        };
    }

    private long SizeOf(TValue value, in Payload payload)
    {
        long size = sizeOf?.Invoke(value) ?? (payload.Kind == PayloadKind.Bytes ? payload.Bytes.Length : 0);
        return size >= 0 ? Math.Min(size, SizeQuota.MaxBytes) : throw new InvalidOperationException($"The option SizeOf gave a negative size, {size}.");
    }

    public TValue Decode(in Payload payload)
    {
        if (payload.Kind == PayloadKind.Reference)
        {
            return (TValue)payload.Reference!;
        }

        ReadOnlyMemory<byte> bytes = payload.Bytes;
        return bytes.Span[0] == Null ? default! : serializer!.Deserialize(new ReadOnlySequence<byte>(bytes[1..]));
    }
}

/// <summary>The serializers that need no configuration.</summary>
internal static class BuiltInSerializers
{
    public static IHybridCacheSerializer<TValue>? Find<TValue>() =>
        typeof(TValue) == typeof(string) ? (IHybridCacheSerializer<TValue>)(object)new TextSerializer()
        : typeof(TValue) == typeof(byte[]) ? (IHybridCacheSerializer<TValue>)(object)new BytesSerializer()
        : null;

    private sealed class TextSerializer : IHybridCacheSerializer<string>
    {
        public string Deserialize(ReadOnlySequence<byte> source) => Encoding.UTF8.GetString(source);

        public void Serialize(string value, IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value, target);
    }

    private sealed class BytesSerializer : IHybridCacheSerializer<byte[]>
    {
        public byte[] Deserialize(ReadOnlySequence<byte> source) => source.ToArray();

        public void Serialize(byte[] value, IBufferWriter<byte> target) => target.Write(value);
    }
}
