namespace CacheEngine.Inodes;

/// <summary>The identity of one cached object, bound by the authority to (region, key) and never reused. Zero: not known yet.</summary>
internal readonly record struct InodeId(long Value)
{
    public bool IsKnown => Value != 0;
}
