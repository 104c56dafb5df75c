namespace CacheEngine.Simulation;

/// <summary>The application's own source of a run: a row a key, each with the fence that wrote it. A row's value counts its changes.</summary>
internal sealed class Source(int keys, bool comparesFences)
{
    private readonly long[] _values = new long[keys];
    private readonly Fence[] _fences = new Fence[keys];

    public long Read(int key) => _values[key];

    /// <summary>Changes a row at this very moment; false if a greater fence has been there.</summary>
    public bool TryChange(int key, Fence fence, out long value)
    {
        bool isRefused = comparesFences && fence < _fences[key];
        value = isRefused ? 0 : ++_values[key];
        _fences[key] = isRefused ? _fences[key] : fence;
        return !isRefused;
    }

    public void Raise(int key, Fence fence) => _fences[key] = fence > _fences[key] ? fence : _fences[key];
}
