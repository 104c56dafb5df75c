using System.Runtime.CompilerServices;

namespace CacheEngine.Sync;

/// <summary>
/// A lock of four bytes for sections of a few dozen nanoseconds: test, then test-and-set, back off, then give the core away.
/// </summary>
/// <remarks>
/// Not reentrant, not fair. Embed it as a mutable field; a copy is another lock. It must not be held over anything that can block, allocate
/// or run user code. With more threads than cores the holder may be descheduled, so waiters yield and finally sleep instead of burning its slice.
/// </remarks>
internal struct SpinGate
{
    private int _held;

    public readonly bool IsHeld =>
        // Edge GATE-4 (acquire; other end: GATE-2): a hint for assertions; outdated as soon as it is read.
        Volatile.Read(in _held) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter(LockLevel level)
    {
        LockOrder.Entering(level);

        // Edge GATE-1 (acquire; other end: GATE-2): what the last holder wrote is seen by this one.
        if (Interlocked.CompareExchange(ref _held, 1, 0) != 0)
        {
            EnterContended();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave(LockLevel level)
    {
        // Edge GATE-2 (release; other ends: GATE-1, GATE-3, GATE-4): moved up, the next holder could see a state half changed.
        Volatile.Write(ref _held, 0);
        LockOrder.Left(level);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterContended()
    {
        // SpinWait backs off exponentially, yields after ten rounds (at once on one core) and then sleeps a millisecond now and then.
        var spinner = default(SpinWait);
        do
        {
            spinner.SpinOnce();
        }

        // Edge GATE-3 (acquire; other end: GATE-2): as GATE-1, for the one who waited; the read before the exchange only keeps the line shared.
        while (Volatile.Read(ref _held) != 0 || Interlocked.CompareExchange(ref _held, 1, 0) != 0);
    }
}
