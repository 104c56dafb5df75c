namespace CacheEngine.Inodes;

/// <summary>The leaf of an inode: its key, its value, and its link in the table. The inode <em>is</em> the table's node.</summary>
internal sealed class Inode<TKey, TValue> : Inode
{
    private TValue _value = default!;

    /// <summary>The key; given once, before the table shows the inode to anybody.</summary>
    public TKey Key { get; private set; } = default!;

    /// <summary>The next inode of the bucket. Written under the shard's gate, read without it.</summary>
    public Inode<TKey, TValue>? Next;

    /// <summary>Gives a blank inode its key.</summary>
    public void Name(TKey key, ulong cookie)
    {
        Key = key;
        Cookie = cookie;
    }

    /// <summary>The value; meaningful only between <see cref="Inode.BeginRead"/> and an agreeing <see cref="Inode.EndRead"/>.</summary>
    public TValue ReadValue() => _value;

    /// <inheritdoc/>
    public override object KeyForReport => Key!;

    /// <inheritdoc/>
    protected override void StoreValue(object? value) => _value = (TValue)value!;

    /// <inheritdoc/>
    protected override object? LoadValue() => _value;

    /// <inheritdoc/>
    protected override void ClearValue() => _value = default!;
}
