namespace CacheEngine.Sync;

/// <summary>
/// The one await seam of the library: every await is configured with <see cref="Captured"/>.
/// </summary>
/// <remarks>
/// False in production, where continuations need no context. A simulation sets the switch before it touches the library; then every continuation
/// stays on its single-threaded scheduler. It is read once, so the JIT sees a constant.
/// </remarks>
internal static class EngineAwait
{
    public const string SwitchName = "CacheEngine.CaptureContext";

    public static readonly bool Captured = AppContext.TryGetSwitch(SwitchName, out bool captured) && captured;

    /// <summary>How a task that callers wait for is completed: not on the completing thread's stack. Under a captured context the awaiting side
    /// takes care of that, and the thread pool must not be asked to.</summary>
    public static readonly TaskCreationOptions Completion =
        Captured ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously;

    /// <summary>How to leave a pump's stack before user code runs: on the thread pool, or to where the simulation's scheduler finds it.</summary>
    public static readonly ConfigureAwaitOptions Yielding =
        ConfigureAwaitOptions.ForceYielding | (Captured ? ConfigureAwaitOptions.ContinueOnCapturedContext : ConfigureAwaitOptions.None);
}
