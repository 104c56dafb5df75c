using CacheEngine.Protocol;

namespace CacheEngine.PostgreSql.Codec;

/// <summary>A value inside a record or a message: absent, or the serializer's bytes. References do not leave a process.</summary>
internal static class PayloadCodec
{
    public static void Write(ByteWriter to, in Payload payload)
    {
        switch (payload.Kind)
        {
            case PayloadKind.None:
                to.Flag(false);
                break;
            case PayloadKind.Bytes:
                to.Flag(true);
                to.Bytes(payload.Bytes.Span);
                break;
            default:
                throw new NotSupportedException("A value that crosses by reference cannot be stored.");
        }
    }

    public static Payload Read(ref ByteReader from) => from.Flag() ? Payload.OfBytes(from.Bytes()) : default;
}
