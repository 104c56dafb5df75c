#if DEBUG
using CacheEngine.Sync;

namespace CacheEngine.Tests.Sync;

/// <summary>The asserts exist in debug builds only, and so does this test.</summary>
public sealed class LockOrderTests
{
    public static TheoryData<int, int> Pairs()
    {
        var pairs = new TheoryData<int, int>();
        foreach (LockLevel held in Enum.GetValues<LockLevel>())
        {
            foreach (LockLevel entered in Enum.GetValues<LockLevel>())
            {
                pairs.Add((int)held, (int)entered);
            }
        }

        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Entering_WithALevelHeld_OnlyDownwards(int held, int entered)
    {
        LockOrder.Entering((LockLevel)held);
        try
        {
            if (entered > held)
            {
                LockOrder.Entering((LockLevel)entered);
                LockOrder.Left((LockLevel)entered);
            }
            else
            {
                Assert.Throws<InvalidOperationException>(() => LockOrder.Entering((LockLevel)entered));
            }

            LockOrder.AssertHeld((LockLevel)held);
        }
        finally
        {
            LockOrder.Left((LockLevel)held);
        }

        LockOrder.AssertNoneHeld();
    }

    [Fact]
    public void Entering_AboveTheOuterOfTwoHeld_Throws()
    {
        LockOrder.Entering(LockLevel.Record);
        LockOrder.Entering(LockLevel.Session);
        Assert.Throws<InvalidOperationException>(() => LockOrder.Entering(LockLevel.Table));
        Assert.Throws<InvalidOperationException>(() => LockOrder.Entering(LockLevel.Inode));
        LockOrder.Left(LockLevel.Session);
        LockOrder.Entering(LockLevel.Inode);
        LockOrder.Left(LockLevel.Inode);
        LockOrder.Left(LockLevel.Record);
    }

    [Fact]
    public void Enter_TwoInodeGates_ThrowsAndLeavesTheSecondFree()
    {
        var first = default(SpinGate);
        var second = default(SpinGate);
        first.Enter(LockLevel.Inode);
        try
        {
            Assert.Throws<InvalidOperationException>(() => second.Enter(LockLevel.Inode));
            Assert.False(second.IsHeld);
        }
        finally
        {
            first.Leave(LockLevel.Inode);
        }

        second.Enter(LockLevel.Inode);
        second.Leave(LockLevel.Inode);
    }

    [Fact]
    public void AssertNoneHeld_ALevelHeld_Fails()
    {
        LockOrder.AssertNoneHeld();
        LockOrder.Entering(LockLevel.Leaf);
        try
        {
            Assert.ThrowsAny<Exception>(() => LockOrder.AssertNoneHeld());
            Assert.ThrowsAny<Exception>(() => LockOrder.AssertHeld(LockLevel.Inode));
        }
        finally
        {
            LockOrder.Left(LockLevel.Leaf);
        }
    }

    [Fact]
    public void Entering_HeldOnAnotherThread_IsNoneOfThisOne()
    {
        LockOrder.Entering(LockLevel.Leaf);
        Crew.Run(1, _ =>
        {
            LockOrder.AssertNoneHeld();
            LockOrder.Entering(LockLevel.Table);
            LockOrder.Left(LockLevel.Table);
        });
        LockOrder.Left(LockLevel.Leaf);
    }
}
#endif
