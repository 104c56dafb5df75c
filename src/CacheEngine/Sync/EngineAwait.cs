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
}
