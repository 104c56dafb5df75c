using CacheEngine.Bench.Rights;
using CacheEngine.Caps;
using CacheEngine.Inodes;

namespace CacheEngine.Bench.Ratios;

/// <summary>What the performance budget says of rights, reservations and writes, in nanoseconds.</summary>
internal static class RightComparisons
{
    private const int Pass = 1 << 12;

    public static IEnumerable<Comparison> Of(TwoNodes nodes, CapPool pool)
    {
        Inode inode = nodes.Writer.Resolve(1);
        yield return new Comparison(
            "rights of a resolved inode",
            new Line(new Loop("gate entered and left", 1, Pass, _ => CapLoops.EnterLeave(inode, Pass))),
            new Line(
                new Loop("acquire + put", 1, Pass, _ => CapLoops.AcquirePut(nodes.Writer.Engine, inode, Pass)),
                new Budget(1, null, 35, IsGate: false)));
        yield return new Comparison(
            "reserve + take + put, per cap",
            new Line(
                new Loop($"{CapLoops.Batch} caps, 1 thread", 1, Pass, _ => CapLoops.ReserveTakePutBatch(pool, Pass)),
                new Budget(0, null, 20, IsGate: false)),
            new Line(
                new Loop($"{CapLoops.Batch} caps, 2 threads", 2, Pass, _ => CapLoops.ReserveTakePutBatch(pool, Pass)),
                new Budget(1, null, 20, IsGate: false)),
            new Line(
                new Loop("1 cap, 1 thread", 1, Pass, _ => CapLoops.ReserveTakePut(pool, Pass)),
                new Budget(2, null, 20, IsGate: false)),
            new Line(
                new Loop("1 cap, 2 threads", 2, Pass, _ => CapLoops.ReserveTakePut(pool, Pass)),
                new Budget(3, null, 20, IsGate: false)));
        yield return new Comparison(
            "two nodes of one process, p50",
            new Line(
                new Loop("write-through set, no sharer", 1, 1, from => nodes.Set(from, 1)),
                new Budget(0, null, 5_000, IsGate: false)),
            new Line(new Loop("grant + revoking set", 1, 1, from => nodes.GrantRevoke(from, 1))));
    }
}
