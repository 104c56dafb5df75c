namespace CacheEngine.Scenarios.Stage;

/// <summary>The application's own source: a row a key, with the greatest fence that has been there.</summary>
internal sealed class Source
{
    private readonly Dictionary<string, (string Value, Fence Fence)> _rows = [];

    public string Read(string key) => _rows.TryGetValue(key, out (string Value, Fence Fence) row) ? row.Value : "nothing";

    /// <summary>Writes a row, unless a greater fence has been there.</summary>
    public bool TryWrite(string key, string value, Fence fence)
    {
        bool isAccepted = fence >= FenceOf(key);
        if (isAccepted)
        {
            _rows[key] = (value, fence);
        }

        return isAccepted;
    }

    /// <summary>From now on older fences are refused.</summary>
    public void Raise(string key, Fence fence) => _rows[key] = (Read(key), fence > FenceOf(key) ? fence : FenceOf(key));

    private Fence FenceOf(string key) => _rows.TryGetValue(key, out (string Value, Fence Fence) row) ? row.Fence : default;
}
