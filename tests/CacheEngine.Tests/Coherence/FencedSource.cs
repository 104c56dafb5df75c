namespace CacheEngine.Tests.Coherence;

/// <summary>An application's table: each row with the greatest fence that has been there.</summary>
/// <param name="ignoresFences">A source that takes whatever comes: for the controls, which show what the rule is for.</param>
internal sealed class FencedSource(bool ignoresFences = false)
{
    private readonly Dictionary<string, (string Value, Fence Fence)> _rows = [];
    private readonly List<string> _log = [];
    private readonly Lock _lock = new();

    /// <summary>Thrown by the next raises.</summary>
    public Exception? RaiseFails { get; set; }

    /// <summary>What was done here, in order: "raise", "load", "write", "refuse".</summary>
    public string Log
    {
        get
        {
            lock (_lock)
            {
                return string.Join(' ', _log);
            }
        }
    }

    public string this[string key]
    {
        get
        {
            lock (_lock)
            {
                return _rows.GetValueOrDefault(key, ("none", default)).Item1;
            }
        }
    }

    public ValueTask RaiseAsync(string key, Fence fence, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (RaiseFails is { } failure)
            {
                _log.Add("fail");
                throw failure;
            }

            _log.Add("raise");
            (string value, Fence before) = _rows.GetValueOrDefault(key, ("none", default));
            _rows[key] = (value, fence > before ? fence : before);
        }

        return default;
    }

    /// <summary>One conditional write.</summary>
    /// <returns>False if a greater fence has been there.</returns>
    public bool TryWrite(string key, Fence fence, string value)
    {
        lock (_lock)
        {
            bool isTaken = ignoresFences || _rows.GetValueOrDefault(key).Fence <= fence;
            _log.Add(isTaken ? "write" : "refuse");
            if (isTaken)
            {
                _rows[key] = (value, fence);
            }

            return isTaken;
        }
    }

    /// <summary>What a loader reads.</summary>
    public ValueTask<string> LoadAsync(string key, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _log.Add("load");
            return ValueTask.FromResult(_rows.GetValueOrDefault(key, ("none", default)).Item1);
        }
    }

    /// <summary>How its caches are opened.</summary>
    /// <param name="maxWriteTime">Null: the caches raise fences here.</param>
    public Action<CoherentCacheOptions<string, string>> Options(TimeSpan? maxWriteTime = null) => options =>
    {
        options.Placement = ValuePlacement.Source;
        options.MaxSourceWriteTime = maxWriteTime;
        options.RaiseFenceAsync = maxWriteTime is null ? RaiseAsync : null;
    };
}
