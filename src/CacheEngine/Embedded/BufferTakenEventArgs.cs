namespace CacheEngine;

/// <summary>A node that kept writes back was silent for too long, or has died, and its right was taken: what it had not flushed of this key is undone.</summary>
public sealed class BufferTakenEventArgs : EventArgs
{
    /// <summary>Creates the arguments.</summary>
    public BufferTakenEventArgs(string region, string nodeName, ReadOnlyMemory<byte> key, long keptVersion, long version)
    {
        Region = region;
        NodeName = nodeName;
        Key = key;
        KeptVersion = keptVersion;
        Version = version;
    }

    /// <summary>The key's region.</summary>
    public string Region { get; }

    /// <summary>The <see cref="CoherentCacheOptions{TKey, TValue}.NodeName"/> of the node; empty if it is not known any more.</summary>
    public string NodeName { get; }

    /// <summary>The key, in the canonical form of its <see cref="IKeyCodec{TKey}"/>.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The version of the last value that had been flushed or written through. Whether there were later ones, only the node knows.</summary>
    public long KeptVersion { get; }

    /// <summary>The version that this value has from now on; every version in between is undone.</summary>
    public long Version { get; }
}
