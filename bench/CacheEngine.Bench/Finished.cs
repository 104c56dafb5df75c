namespace CacheEngine.Bench;

/// <summary>Takes the outcome of operations that end on the caller's thread, as all do between nodes of one process.</summary>
internal static class Finished
{
    public static T Take<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
