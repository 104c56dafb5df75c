using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Arbitration;

public class OwnerStateTests
{
    private static readonly OwnerState Owner = new(new SessionId(1), Request: 7, new CapId(3), new Fence(9));

    [Fact]
    public void AClaim_IsTheOwnersOnly_WithItsSessionItsRequestAndItsFence()
    {
        Assert.True(Owner.Is(new SessionId(1), new Ownership(7, new Fence(9))));
        Assert.False(Owner.Is(new SessionId(2), new Ownership(7, new Fence(9))));
        Assert.False(Owner.Is(new SessionId(1), new Ownership(8, new Fence(9))));
        Assert.False(Owner.Is(new SessionId(1), new Ownership(7, new Fence(8))));
        Assert.False(Owner.Is(new SessionId(1), new Ownership(7, new Fence(10))));
        Assert.False(Owner.Is(new SessionId(1), default));
    }

    [Fact]
    public void Nobody_IsNobodysOwner()
    {
        Assert.False(default(OwnerState).IsOpen);
        Assert.False(default(OwnerState).Is(default, default));
        Assert.False(default(Ownership).IsOpen);
    }
}
