using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Caching.Hybrid;

namespace Quickstart;

/// <summary>
/// One revision of a file, the cached value: the bytes as they lie on disk, whose first line names the revision. So whoever is served a value can
/// tell which write made it. Immutable.
/// </summary>
internal sealed class FileContent
{
    private const int RevisionDigits = 19;

    private static byte[] Prefix { get; } = [.. "revision "u8];
    private static int HeaderBytes { get; } = Prefix.Length + RevisionDigits + 1;

    private readonly byte[] _bytes;

    private FileContent(long revision, byte[] bytes)
    {
        Revision = revision;
        _bytes = bytes;
    }

    /// <summary>Unique in the run; no two writes share one.</summary>
    public long Revision { get; }

    /// <summary>The whole file.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>The file without its first line: what was there before the example revised it.</summary>
    public ReadOnlySpan<byte> Body => _bytes.AsSpan(HeaderBytes);

    public static FileContent Create(long revision, ReadOnlySpan<byte> body)
    {
        byte[] bytes = new byte[HeaderBytes + body.Length];
        Prefix.CopyTo(bytes, 0);
        revision.TryFormat(bytes.AsSpan(Prefix.Length), out _, "D19", CultureInfo.InvariantCulture);
        bytes[HeaderBytes - 1] = (byte)'\n';
        body.CopyTo(bytes.AsSpan(HeaderBytes));
        return new FileContent(revision, bytes);
    }

    /// <exception cref="InvalidDataException">The bytes do not begin with a revision line.</exception>
    public static FileContent Parse(byte[] bytes)
    {
        return bytes.Length >= HeaderBytes
            && bytes.AsSpan().StartsWith(Prefix)
            && long.TryParse(bytes.AsSpan(Prefix.Length, RevisionDigits), NumberStyles.None, CultureInfo.InvariantCulture, out long revision)
            && bytes[HeaderBytes - 1] == '\n'
            ? new FileContent(revision, bytes)
            : throw new InvalidDataException("The bytes do not begin with a revision line.");
    }

    /// <summary>The same body as a new revision.</summary>
    public FileContent Revise(long revision) => Create(revision, Body);
}

/// <summary>How a file crosses to the authority and back: as its own bytes.</summary>
internal sealed class FileContentSerializer : IHybridCacheSerializer<FileContent>
{
    public FileContent Deserialize(ReadOnlySequence<byte> source) => FileContent.Parse(source.ToArray());

    public void Serialize(FileContent value, IBufferWriter<byte> target) => target.Write(value.Bytes.Span);
}
