namespace CacheEngine.Protocol;

/// <summary>How a value crosses between a node and its authority: by reference, immutable by contract, or as serialised bytes.</summary>
internal readonly struct Payload
{
    private readonly object? _reference;
    private readonly ReadOnlyMemory<byte> _bytes;

    private Payload(PayloadKind kind, object? reference, ReadOnlyMemory<byte> bytes)
    {
        Kind = kind;
        _reference = reference;
        _bytes = bytes;
    }

    public PayloadKind Kind { get; }

    /// <summary>The value itself, boxed if it is a value type; only for <see cref="PayloadKind.Reference"/>.</summary>
    public object? Reference => Kind == PayloadKind.Reference ? _reference : throw new InvalidOperationException($"The payload is of kind {Kind}.");

    /// <summary>The serialised value; only for <see cref="PayloadKind.Bytes"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => Kind == PayloadKind.Bytes ? _bytes : throw new InvalidOperationException($"The payload is of kind {Kind}.");

    public static Payload OfReference(object? value) => new(PayloadKind.Reference, value, default);

    public static Payload OfBytes(ReadOnlyMemory<byte> bytes) => new(PayloadKind.Bytes, null, bytes);
}

/// <summary>What a <see cref="Payload"/> holds.</summary>
internal enum PayloadKind : byte
{
    None,
    Reference,
    Bytes,
}
