using CacheEngine.Inodes;
using CacheEngine.Protocol;

namespace CacheEngine.Embedded;

/// <summary>The right to buffer an object was taken from a node without its word.</summary>
/// <param name="Region">The object's region.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Key">The key's canonical bytes.</param>
/// <param name="Inode">The object.</param>
/// <param name="KeptVersion">The version of the last value that came.</param>
/// <param name="Version">The version that this value has from now on.</param>
/// <param name="Kept">The value; none if there is none.</param>
/// <param name="At">When, on the authority's clock.</param>
internal sealed record BufferTaken(
    string Region, string Node, ReadOnlyMemory<byte> Key, InodeId Inode, long KeptVersion, long Version, Payload Kept, long At);
