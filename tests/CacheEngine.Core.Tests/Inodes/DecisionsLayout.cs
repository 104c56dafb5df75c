using System.Runtime.CompilerServices;
using CacheEngine.Arbitration;
using CacheEngine.Inodes;

namespace CacheEngine.Core.Tests.Inodes;

public class DecisionsLayout
{
    [Fact]
    public void Verdicts_AreSmall()
    {
        Assert.Equal(4, Unsafe.SizeOf<CapSet>());
        Assert.Equal(8, Unsafe.SizeOf<AcquireDecision>());
        Assert.Equal(8, Unsafe.SizeOf<ArbitrationDecision>());
        Assert.Equal(16, Unsafe.SizeOf<HolderDecision>());
        Assert.Equal(16, Unsafe.SizeOf<CapRefCounts>());
        Assert.Equal(32, Unsafe.SizeOf<CapState>());
        Assert.Equal(48, Unsafe.SizeOf<GrantDecision>());
    }
}
