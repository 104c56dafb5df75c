using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Arbitration;

/// <summary>Who may change one object right now, between being given the exclusive right for it and saying how it ended.</summary>
/// <param name="Session">The owner's session.</param>
/// <param name="Request">The request that the right was given for.</param>
/// <param name="Cap">The grant that carries the right.</param>
/// <param name="Fence">The number that the owner writes with.</param>
internal readonly record struct OwnerState(SessionId Session, long Request, CapId Cap, Fence Fence)
{
    public bool IsOpen => Fence.Value != 0;

    public bool Is(SessionId session, in Ownership claim) => IsOpen && Session == session && Request == claim.Request && Fence == claim.Fence;
}

/// <summary>What names an owner's right in its own messages: the request that it was given for, and its fence.</summary>
internal readonly record struct Ownership(long Request, Fence Fence)
{
    public bool IsOpen => Fence.Value != 0;
}

/// <summary>How an owner says that its change ended.</summary>
internal enum Settlement : byte
{
    None,

    /// <summary>The source has been changed, under the fence.</summary>
    Completed,

    /// <summary>Nothing was changed, and nothing will be.</summary>
    Abandoned,

    /// <summary>Nothing was changed, and the fence is in force at the source.</summary>
    Raised,

    /// <summary>The owner does not know: the change may still take effect.</summary>
    Unknown,
}

/// <summary>Why a request was refused; nothing was changed by it, and nobody disturbed.</summary>
internal enum Refusal : byte
{
    None,

    /// <summary>The right that it relies on is gone.</summary>
    RightLost,

    /// <summary>The object has another version than the request expects.</summary>
    VersionDiffers,

    /// <summary>The object has never had the version that the request expects.</summary>
    VersionUnknown,
}
