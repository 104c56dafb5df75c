using System.Diagnostics;

namespace CacheEngine.Sync;

/// <summary>The levels of the lock hierarchy, outermost first. A thread enters a level only while it holds none at or below it.</summary>
internal enum LockLevel
{
    /// <summary>One shard of a key table.</summary>
    Table = 0,

    /// <summary>One object's record at the embedded authority.</summary>
    Record = 1,

    /// <summary>One object of an engine. Never two at once.</summary>
    Inode = 2,

    /// <summary>The engine's list of operations in flight.</summary>
    Operations = 3,

    /// <summary>What the embedded authority keeps of one session.</summary>
    Session = 4,

    /// <summary>A queue, an outbox shard, a pool shard, a lease: entered last, left first, never two at once.</summary>
    Leaf = 5,
}

/// <summary>Asserts the lock order in debug builds by a mask of the levels that the current thread holds.</summary>
internal static class LockOrder
{
    [ThreadStatic]
    private static int t_held;

    [Conditional("DEBUG")]
    public static void Entering(LockLevel level)
    {
        if (t_held >> (int)level != 0)
        {
            throw new InvalidOperationException($"Lock level {level} is entered while the levels of mask {t_held:b} are held.");
        }

        t_held |= 1 << (int)level;
    }

    [Conditional("DEBUG")]
    public static void Left(LockLevel level) => t_held &= ~(1 << (int)level);

    [Conditional("DEBUG")]
    public static void AssertHeld(LockLevel level) =>
        Debug.Assert((t_held & (1 << (int)level)) != 0, $"Lock level {level} is not held.");

    /// <summary>Asserts that no lock is held: user code is about to run, or a waiter is about to be completed.</summary>
    [Conditional("DEBUG")]
    public static void AssertNoneHeld() => Debug.Assert(t_held == 0, $"The levels of mask {t_held:b} are held.");
}
