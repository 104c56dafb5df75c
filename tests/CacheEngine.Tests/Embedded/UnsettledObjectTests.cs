using CacheEngine.Arbitration;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>Objects at the application's source, whose last writer may still be writing there.</summary>
[Rule("P08")]
public sealed class UnsettledObjectTests
{
    private const long MaxWrite = 300;

    /// <summary>The bound, one per cent of it, and twice the granularity.</summary>
    private const long Bound = MaxWrite + 3 + 10;

    public enum Ending
    {
        Silence,
        GivenBack,
        Released,
        SessionGone,
        Unknown,
    }

    public static TheoryData<Ending> Endings => [.. Enum.GetValues<Ending>()];

    [Theory]
    [MemberData(nameof(Endings))]
    public void RaisedFences_EveryEndWithoutAWord_MakesTheNextReaderOwnerWithAGreaterFence(Ending ending)
    {
        var (desk, b, fence) = Ended(ending, new SourceTerms(true, true, 0));
        Assert.True(desk.Record().IsUnsettled);
        desk.Ask(b, ClientMessageKind.Acquire);
        AuthorityMessage raising = desk.TakeOwnership(b);
        Assert.True(raising.IsUnsettled);
        Assert.True(raising.Fence > fence);
        Assert.True(desk.Record().IsUnsettled);

        desk.Settle(b, raising, Settlement.Raised);
        Assert.Equal(Desk.ServeAndPin, desk.Take(b, AuthorityMessageKind.Written).Caps);
        Assert.False(desk.Record().IsUnsettled);
        desk.Grant(desk.Join());
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public void StatedBound_EveryEndWithoutAWord_IsWaitedOut_ToTheMillisecond(Ending ending)
    {
        var (desk, b, fence) = Ended(ending, new SourceTerms(true, false, MaxWrite));
        long since = desk.Now;
        desk.Ask(b, ClientMessageKind.Acquire);
        Assert.Contains(since + Bound, desk.LooksAgain);
        desk.PassTime(since + Bound - 1);
        desk.AssertOwedNothing(b);
        desk.PassTime(since + Bound);
        AuthorityMessage grant = desk.Take(b, AuthorityMessageKind.Grant);
        Assert.Equal((default, false, Desk.ServeAndPin), (grant.Fence, grant.IsUnsettled, grant.Caps));
        Assert.False(desk.Record().IsUnsettled);
        Assert.Equal(fence, desk.Record().Fence);
    }

    [Theory]
    [InlineData(Settlement.Completed)]
    [InlineData(Settlement.Abandoned)]
    [InlineData(Settlement.Raised)]
    internal void AnEndWithAWord_LeavesTheObjectSettled(Settlement settlement)
    {
        foreach (SourceTerms source in new[] { new SourceTerms(true, true, 0), new SourceTerms(true, false, MaxWrite) })
        {
            var desk = new Desk(source);
            SessionId a = desk.Join();
            desk.Settle(a, desk.Own(a), settlement);
            desk.Take(a, AuthorityMessageKind.Written);
            Assert.False(desk.Record().IsUnsettled);
            desk.Grant(desk.Join());
        }
    }

    [Fact]
    public void AnOwnerWithoutAWord_TakesOverRaisingFirst_AndASecondWordOfItsIsRefused()
    {
        var (desk, b, fence) = Ended(Ending.GivenBack, new SourceTerms(true, true, 0));
        desk.Ask(b, ClientMessageKind.Own);
        AuthorityMessage owned = desk.TakeOwnership(b);
        Assert.True(owned.IsUnsettled && owned.Fence > fence);
        desk.Settle(b, owned, Settlement.Completed);
        AuthorityMessage written = desk.Take(b, AuthorityMessageKind.Written);
        Assert.True(written.Version > owned.Version);
        Assert.False(desk.Record().IsUnsettled);
        desk.Settle(b, owned, Settlement.Unknown);
        desk.Take(b, AuthorityMessageKind.Refused);
        Assert.False(desk.Record().IsUnsettled);
    }

    [Theory]
    [InlineData(Settlement.Abandoned)]
    [InlineData(Settlement.Unknown)]
    internal void AFailedRaise_LeavesTheObjectUnsettled_AndTheNextTriesAgain(Settlement settlement)
    {
        var (desk, b, fence) = Ended(Ending.Unknown, new SourceTerms(true, true, 0));
        for (int i = 0; i < 3; i++)
        {
            desk.Ask(b, ClientMessageKind.Acquire);
            AuthorityMessage raising = desk.TakeOwnership(b);
            Assert.True(raising.IsUnsettled && raising.Fence > fence);
            fence = raising.Fence;
            desk.Settle(b, raising, settlement);
            Assert.Equal(CapSet.Pin, desk.Take(b, AuthorityMessageKind.Written).Caps);
            Assert.True(desk.Record().IsUnsettled);
        }
    }

    [Fact]
    public void ReadersBehindTheOneThatRaises_WaitForIt_AndShareAfterwards()
    {
        var (desk, b, _) = Ended(Ending.Unknown, new SourceTerms(true, true, 0));
        SessionId c = desk.Join();
        desk.Ask(b, ClientMessageKind.Acquire);
        AuthorityMessage raising = desk.TakeOwnership(b);
        desk.Ask(c, ClientMessageKind.Acquire);
        desk.Take(b, AuthorityMessageKind.Revoke);
        desk.AssertOwedNothing(c);
        desk.Settle(b, raising, Settlement.Raised);
        Assert.Equal(CapSet.Pin, desk.Take(b, AuthorityMessageKind.Written).Caps);
        AuthorityMessage grant = desk.Take(c, AuthorityMessageKind.Grant);
        Assert.Equal((Desk.ServeAndPin, false, default), (grant.Caps, grant.IsUnsettled, grant.Fence));
        desk.Grant(b);
    }

    [Fact]
    public void TheOneThatRaisesGoesSilent_TheNextRaisesAgain()
    {
        var (desk, b, _) = Ended(Ending.Unknown, new SourceTerms(true, true, 0));
        SessionId c = desk.Join();
        desk.Ask(b, ClientMessageKind.Acquire);
        AuthorityMessage first = desk.TakeOwnership(b);
        desk.Ask(c, ClientMessageKind.Acquire);
        desk.PassTime(desk.Now + Desk.Term + Desk.Margin);
        AuthorityMessage second = desk.TakeOwnership(c);
        Assert.True(second.IsUnsettled && second.Fence > first.Fence);
    }

    [Theory]
    [InlineData(ClientMessageKind.Remove)]
    [InlineData(ClientMessageKind.Recall)]
    internal void WhatReadsNothingAtTheSource_PassesButSettlesNothing_AndGivesNoRightToRead(ClientMessageKind kind)
    {
        foreach (SourceTerms source in new[] { new SourceTerms(true, true, 0), new SourceTerms(true, false, MaxWrite) })
        {
            var (desk, b, _) = Ended(Ending.Unknown, source);
            desk.Ask(b, kind);
            Assert.Equal(CapSet.Pin, desk.Take(b, AuthorityMessageKind.Written).Caps);
            Assert.True(desk.Record().IsUnsettled);
        }
    }

    [Fact]
    public void StatedBound_AWriterWaitsToo_AndAnotherSilenceCountsAnew()
    {
        var (desk, b, fence) = Ended(Ending.Unknown, new SourceTerms(true, false, MaxWrite));
        long since = desk.Now;
        desk.Ask(b, ClientMessageKind.Own);
        desk.PassTime(since + Bound - 1);
        desk.AssertOwedNothing(b);
        desk.PassTime(since + Bound);
        AuthorityMessage owned = desk.TakeOwnership(b);
        Assert.True(!owned.IsUnsettled && owned.Fence > fence);
        desk.Settle(b, owned, Settlement.Unknown);
        desk.Take(b, AuthorityMessageKind.Written);
        SessionId c = desk.Join();
        desk.Ask(c, ClientMessageKind.Acquire);
        desk.PassTime(since + Bound + Bound - 1);
        desk.AssertOwedNothing(c);
        desk.PassTime(since + Bound + Bound);
        desk.Take(c, AuthorityMessageKind.Grant);
    }

    [Fact]
    public void AReaderThatHeldWhatItNeeds_IsNotSpared()
    {
        // The shared right of a session does not outlive somebody's exclusive one, so nobody reads past the raise.
        var desk = new Desk(new SourceTerms(true, true, 0));
        SessionId a = desk.Join();
        SessionId b = desk.Join();
        desk.Grant(b);
        desk.Ask(a, ClientMessageKind.Own);
        AuthorityMessage revoke = desk.Take(b, AuthorityMessageKind.Revoke);
        desk.AssertOwedNothing(a);
        desk.Answer(b, revoke, CapSet.Pin);
        desk.Settle(a, desk.TakeOwnership(a), Settlement.Unknown);
        Assert.Equal(CapSet.Pin, desk.Take(a, AuthorityMessageKind.Written).Caps);
        desk.Ask(a, ClientMessageKind.Acquire);
        Assert.True(desk.TakeOwnership(a).IsUnsettled);
    }

    /// <summary>A desk where a session's right to write has just ended without a word, and another session.</summary>
    private static (Desk Desk, SessionId Other, Fence Fence) Ended(Ending ending, SourceTerms source)
    {
        var desk = new Desk(source);
        SessionId a = desk.Join();
        SessionId b = desk.Join();
        AuthorityMessage owned = desk.Own(a);
        Assert.False(owned.IsUnsettled);
        desk.Now += 50;
        switch (ending)
        {
            case Ending.Silence:
                desk.Ask(b, ClientMessageKind.Recall);
                desk.PassTime(desk.Now + Desk.Term + Desk.Margin - 50);
                desk.Take(b, AuthorityMessageKind.Written);
                break;
            case Ending.GivenBack:
                desk.Answer(a, owned, CapSet.Pin);
                break;
            case Ending.Released:
                desk.Release(a, owned.Cap, owned.Seq);
                break;
            case Ending.SessionGone:
                desk.End(a);
                break;
            case Ending.Unknown:
                desk.Settle(a, owned, Settlement.Unknown);
                Assert.Equal(CapSet.Pin, desk.Take(a, AuthorityMessageKind.Written).Caps);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(ending), ending, null);
        }

        Assert.False(desk.Record().IsOwned);
        return (desk, b, owned.Fence);
    }
}
