namespace CacheEngine;

/// <summary>When a write is acknowledged to its caller.</summary>
public enum WriteMode
{
    /// <summary>When the authority has it and no node can serve an older value.</summary>
    Through,

    /// <summary>At once, in this node's memory, if the node holds the key alone; then the authority gets it later: when it has been dirty for
    /// <see cref="CoherentCacheOptions{TKey, TValue}.WriteBackDelay"/>, when another node wants the key, or by
    /// <see cref="CoherentCache{TKey, TValue}.FlushAsync(TKey, CancellationToken)"/>. No other node sees an older value meanwhile. Until it is flushed,
    /// the death of this node undoes it. The first such write of a key goes through and takes the right to keep the next ones back; where nodes
    /// contend for a key, all of them go through.</summary>
    Back,
}
