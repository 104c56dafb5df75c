namespace CacheEngine.Inodes;

/// <summary>Counted local uses of an object's rights. A right in use is not answered as given back.</summary>
internal struct CapRefCounts
{
    private int _read;
    private int _cache;
    private int _write;
    private int _buffer;

    /// <summary>The bits that have at least one live use.</summary>
    public readonly CapSet Used =>
        (_read > 0 ? CapSet.FileRead : CapSet.None)
        | (_cache > 0 ? CapSet.FileCache : CapSet.None)
        | (_write > 0 ? CapSet.FileWrite : CapSet.None)
        | (_buffer > 0 ? CapSet.FileBuffer : CapSet.None);

    /// <summary>Adds one use of each counted bit; bits without a counter are ignored.</summary>
    public void Take(CapSet got) => Add(got, 1);

    /// <summary>Ends one use of each counted bit.</summary>
    /// <returns>The bits whose last use this was.</returns>
    /// <exception cref="InvalidOperationException">A bit had no use to end; nothing was changed.</exception>
    public CapSet Put(CapSet had)
    {
        CapSet counted = had & (CapSet.FileRead | CapSet.FileCache | CapSet.FileWrite | CapSet.FileBuffer);
        CapSet before = Used;
        if (!before.Contains(counted))
        {
            throw new InvalidOperationException($"A use of {counted} is put back, but only {before} is in use.");
        }

        Add(counted, -1);
        return before - Used;
    }

    private void Add(CapSet caps, int amount)
    {
        _read += caps.Overlaps(CapSet.FileRead) ? amount : 0;
        _cache += caps.Overlaps(CapSet.FileCache) ? amount : 0;
        _write += caps.Overlaps(CapSet.FileWrite) ? amount : 0;
        _buffer += caps.Overlaps(CapSet.FileBuffer) ? amount : 0;
    }
}
