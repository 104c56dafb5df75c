using System.Text;
using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>
/// What every record store promises, whatever it keeps its records in. Each store's test project derives from it; this file is linked into those that stand apart.
/// </summary>
public abstract class RecordStoreContract : IAsyncLifetime
{
    private protected const long Term = 1_000;
    private protected const long Margin = 20;

    private protected string Region { get; } = $"region {Guid.NewGuid():N}";

    private protected static LeaseTerms Terms => new(Term, 0.01, 5, 5 * Term);

    private protected ManualTimeProvider Time { get; } = new();

    private protected IRecordStore Store { get; private set; } = null!;

    public async Task InitializeAsync() => Store = await OpenStoreAsync();

    public async Task DisposeAsync() => await Store.DisposeAsync();

    private protected abstract ValueTask<IRecordStore> OpenStoreAsync();

    /// <summary>Makes the store announce that it may have forgotten something.</summary>
    private protected abstract ValueTask ForgetAsync();

    [Fact]
    public async Task Apply_AKey_NamesOneObjectForEver()
    {
        StoreNode first = await JoinAsync();
        StoreNode second = await JoinAsync();
        StoreNode stranger = await JoinAsync($"{Region} 2");
        InodeId id = (await first.AskAsync(ClientMessageKind.Acquire, "key")).Inode;
        Assert.True(id.IsKnown);
        Assert.Equal(id, (await second.AskAsync(ClientMessageKind.Acquire, "key")).Inode);
        Assert.NotEqual(id, (await first.AskAsync(ClientMessageKind.Acquire, "kez")).Inode);
        Assert.NotEqual(id, (await stranger.AskAsync(ClientMessageKind.Acquire, "key")).Inode);
    }

    [Fact]
    public async Task Apply_ObjectOfAnotherRegion_IsRefused()
    {
        StoreNode first = await JoinAsync();
        StoreNode stranger = await JoinAsync($"{Region} 2");
        InodeId id = (await first.AskAsync(ClientMessageKind.Acquire, "key")).Inode;
        SessionStanding standing = await stranger.SendAsync(new ClientMessage { Kind = ClientMessageKind.Acquire, Inode = id, RequestId = 1 });
        Assert.Equal(1, standing.Refused);
        Assert.Empty(stranger.Received);
    }

    [Fact]
    public async Task Apply_WriteThenAcquire_BringsValueVersionAndRight()
    {
        StoreNode writer = await JoinAsync();
        StoreNode reader = await JoinAsync();
        AuthorityMessage written = await writer.AskAsync(ClientMessageKind.Write, "key", "value");
        Assert.Equal(AuthorityMessageKind.Written, written.Kind);
        AuthorityMessage grant = await reader.AskAsync(ClientMessageKind.Acquire, "key");
        Assert.Equal(AuthorityMessageKind.Grant, grant.Kind);
        Assert.Equal(written.Version, grant.Version);
        Assert.Equal("value", Encoding.UTF8.GetString(grant.Payload.Bytes.Span));
        Assert.True(grant.Caps.Contains(Rights.Serve));
    }

    [Fact]
    public async Task Apply_ConflictingWrite_IsAcknowledgedAfterTheHoldersAnswer()
    {
        (StoreNode holder, StoreNode writer, AuthorityMessage revoke) = await BlockAsync();
        Assert.Empty(await writer.FetchAsync());
        await holder.SendAsync(new ClientMessage
        {
            Kind = ClientMessageKind.CapUpdate,
            Inode = revoke.Inode,
            Cap = revoke.Cap,
            Seq = revoke.Seq,
            Caps = revoke.Caps,
        });
        Assert.Equal(AuthorityMessageKind.Written, Assert.Single(await writer.FetchAsync()).Kind);
    }

    [Fact]
    public async Task Apply_ABatch_TakesEffectInOrder()
    {
        StoreNode node = await JoinAsync();
        ClientMessage[] batch = [node.Number(Write("key", "1")), node.Number(Write("key", "2")), node.Number(Write("other", "3"))];
        await node.ApplyAsync(batch);
        Assert.Equal([1ul, 2, 3], node.Received.Select(message => message.Sequence.Value));
        Assert.Equal(batch.Select(message => message.RequestId), node.Received.Select(message => message.RequestId));
        Assert.True(node.Received[0].Version < node.Received[1].Version);
        Assert.Equal("2", Encoding.UTF8.GetString((await (await JoinAsync()).AskAsync(ClientMessageKind.Acquire, "key")).Payload.Bytes.Span));
    }

    [Fact]
    [Rule("P23")]
    public async Task Apply_RepeatedBatch_HasOneEffectAndTheSameAnswer()
    {
        StoreNode node = await JoinAsync();
        ClientMessage[] batch = [node.Number(Write("key", "1")), node.Number(Write("key", "2"))];
        await node.ApplyAsync(batch);
        AuthorityMessage[] answers = [.. node.Received];
        node.ForgetReceived();
        SessionStanding standing = await node.ApplyAsync(batch);
        Assert.Equal(0, standing.Refused);
        Assert.Equal(answers.Select(answer => (answer.Sequence, answer.Version)), node.Received.Select(answer => (answer.Sequence, answer.Version)));
        Assert.Equal(answers[1].Version, (await (await JoinAsync()).AskAsync(ClientMessageKind.Acquire, "key")).Version);
    }

    [Fact]
    [Rule("P23")]
    public async Task Apply_UsedNumberOrGap_IsRefusedAlone()
    {
        StoreNode node = await JoinAsync();
        await node.ApplyAsync(node.Number(Write("key", "1")));
        ClientMessage contradicts = Write("key", "other") with { Session = node.Id, RequestId = 99, Sequence = new MessageSeq(1) };
        ClientMessage gap = Write("key", "other") with { Session = node.Id, RequestId = 100, Sequence = new MessageSeq(3) };
        Assert.Equal(2, (await node.ApplyAsync(contradicts, gap, node.Number(Write("key", "2")))).Refused);
        Assert.Equal(2, node.Received.Count);
    }

    [Fact]
    public async Task Apply_RacingPreconditions_OneWins()
    {
        const int Racers = 6;
        StoreNode first = await JoinAsync();
        AuthorityMessage written = await first.AskAsync(ClientMessageKind.Write, "key", "0");
        await first.ReleaseAsync(written);
        StoreNode[] racers = new StoreNode[Racers];
        for (int i = 0; i < Racers; i++)
        {
            racers[i] = await JoinAsync();
        }

        await Task.WhenAll(racers.Select(racer => Task.Run(() =>
            racer.SendAsync(Write("key", "mine") with { Precondition = Precondition.Exactly(written.Version) }))));
        AuthorityMessage[] answers = [.. racers.SelectMany(racer => racer.Received)];
        Assert.Single(answers, answer => answer.Kind == AuthorityMessageKind.Written);
        Assert.Equal(Racers - 1, answers.Count(answer => answer is { Kind: AuthorityMessageKind.Refused, Refusal: Refusal.VersionDiffers }));
    }

    [Fact]
    public async Task Apply_ManyRecordsRevokeOneSessionAtOnce_NumbersHaveNoGaps()
    {
        const int Keys = 12;
        StoreNode holder = await JoinAsync();
        var writers = new StoreNode[Keys];
        for (int i = 0; i < Keys; i++)
        {
            await holder.AskAsync(ClientMessageKind.Acquire, $"key {i}");
            writers[i] = await JoinAsync();
        }

        await Task.WhenAll(writers.Select((writer, i) => Task.Run(() => writer.SendAsync(Write($"key {i}", "1")))));
        List<AuthorityMessage> revokes = await holder.FetchAsync();
        Assert.Equal(Enumerable.Range(Keys + 1, Keys).Select(i => (ulong)i), revokes.Select(revoke => revoke.Sequence.Value));
        Assert.Equal(Keys, revokes.Select(revoke => revoke.Inode).Distinct().Count());
        Assert.All(writers, writer => Assert.Empty(writer.Received));
    }

    [Fact]
    public async Task Fetch_UntilTakenIn_IsToldAgain()
    {
        StoreNode node = await JoinAsync();
        await node.ApplyAsync(node.Number(Write("key", "1")), node.Number(Write("key", "2")));
        node.ForgetReceived();
        Assert.Equal(2, (await node.FetchAsync()).Count);
        node.ForgetReceived();
        SessionStanding standing = await node.RenewAsync(tookIn: 1);
        Assert.Equal(new MessageSeq(2), standing.OwedThrough);
        Assert.Equal(new MessageSeq(2), Assert.Single(await node.FetchAsync(after: 0)).Sequence);
    }

    [Fact]
    [Rule("P27")]
    public async Task Fetch_DoorbellLost_FindsTheRevoke()
    {
        Store.Doorbell = null;
        (_, _, AuthorityMessage revoke) = await BlockAsync();
        Assert.Equal(AuthorityMessageKind.Revoke, revoke.Kind);
    }

    [Fact]
    public async Task Doorbell_AnotherSessionIsOwed_Rings()
    {
        var rung = new TaskCompletionSource<SessionId>();
        StoreNode holder = await JoinAsync();
        await holder.AskAsync(ClientMessageKind.Acquire, "key");
        Store.Doorbell = id =>
        {
            if (id == holder.Id)
            {
                rung.TrySetResult(id);
            }
        };
        await (await JoinAsync()).SendAsync(Write("key", "1"));
        Assert.Equal(holder.Id, await rung.Task.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    [Rule("P27")]
    public async Task Renew_WhileARevokeIsOwed_TellsIt()
    {
        (StoreNode holder, _, AuthorityMessage revoke) = await BlockAsync();
        Assert.Equal(revoke.Sequence, (await holder.RenewAsync()).OwedThrough);
    }

    [Fact]
    [Rule("P05", "P06")]
    public async Task Look_SilentHolder_LosesItsRightAfterTermAndMargin()
    {
        (_, StoreNode writer, AuthorityMessage revoke) = await BlockAsync();
        Time.Advance(Term + Margin - 1);
        await Store.LookAsync(revoke.Inode, default);
        Assert.Empty(await writer.FetchAsync());
        Time.Advance(1);
        await Store.LookAsync(revoke.Inode, default);
        Assert.Equal(AuthorityMessageKind.Written, Assert.Single(await writer.FetchAsync()).Kind);
    }

    [Fact]
    [Rule("P05", "P06")]
    public async Task Look_HolderRenewedAndTookTheRevokeIn_IsNotSilent()
    {
        (StoreNode holder, StoreNode writer, AuthorityMessage revoke) = await BlockAsync();
        Time.Advance(Term / 2);
        await holder.RenewAsync(tookIn: revoke.Sequence.Value);
        Time.Advance(Term / 2 + Margin);
        await Store.LookAsync(revoke.Inode, default);
        Assert.Empty(await writer.FetchAsync());
        Time.Advance(Term + Margin);
        await Store.LookAsync(revoke.Inode, default);
        Assert.Single(await writer.FetchAsync());
    }

    [Fact]
    [Rule("P05", "P27")]
    public async Task Look_HolderRenewsButTakesNothingIn_IsSilentFromTheRevokeOn()
    {
        (StoreNode holder, StoreNode writer, AuthorityMessage revoke) = await BlockAsync();
        Time.Advance(Term / 2);
        await holder.RenewAsync(tookIn: revoke.Sequence.Value - 1);
        Time.Advance(Term / 2 + Margin - 1);
        await Store.LookAsync(revoke.Inode, default);
        Assert.Empty(await writer.FetchAsync());
        Time.Advance(1);
        await Store.LookAsync(revoke.Inode, default);
        Assert.Single(await writer.FetchAsync());
    }

    [Fact]
    public async Task LookAgain_BlockedRequest_IsAskedForInTime()
    {
        var looks = new List<(InodeId Id, long At)>();
        Store.LookAgain = (id, at) => looks.Add((id, at));
        (_, _, AuthorityMessage revoke) = await BlockAsync();
        Assert.Contains(looks, look => look.Id == revoke.Inode && look.At <= Time.Now + Term + Margin);
    }

    [Fact]
    [Rule("P22")]
    public async Task Open_SameIdentity_CutsTheOlderOffAndItsRightsRunOut()
    {
        var identity = Guid.NewGuid();
        StoreNode older = await JoinAsync(identity: identity);
        InodeId id = (await older.AskAsync(ClientMessageKind.Acquire, "key")).Inode;
        await JoinAsync(identity: identity);
        Assert.False((await older.SendAsync(Write("key", "late"))).IsOpen);
        Assert.False((await older.RenewAsync()).IsOpen);
        StoreNode writer = await JoinAsync();
        await writer.SendAsync(Write("key", "1"));
        Assert.Empty(writer.Received);
        Time.Advance(Term + Margin);
        await Store.LookAsync(id, default);
        Assert.Single(await writer.FetchAsync());
    }

    [Fact]
    [Rule("P22")]
    public async Task ClaimsDone_RightsOfEarlierSessionsThatWereNotClaimed_AreOver()
    {
        var identity = Guid.NewGuid();
        StoreNode older = await JoinAsync(identity: identity);
        await older.AskAsync(ClientMessageKind.Acquire, "key");
        StoreNode newer = await JoinAsync(identity: identity);
        await newer.ClaimsDoneAsync();
        Assert.Equal(AuthorityMessageKind.Written, (await (await JoinAsync()).AskAsync(ClientMessageKind.Write, "key", "1")).Kind);
    }

    [Fact]
    [Rule("P22")]
    public async Task Sweep_SessionThatWasJustCutOff_HasATermToBeClaimedFrom()
    {
        var identity = Guid.NewGuid();
        StoreNode older = await JoinAsync(identity: identity);
        AuthorityMessage grant = await older.AskAsync(ClientMessageKind.Acquire, "key");
        await Store.SweepAsync(default);
        Time.Advance(2 * Term);
        StoreNode newer = await JoinAsync(identity: identity);
        Time.Advance(Term - 1);
        await Store.SweepAsync(default);
        Assert.Equal(grant.Caps, (await newer.ClaimAsync(grant, grant.Caps)).Caps);
    }

    [Fact]
    [Rule("T01", "P15")]
    public async Task Flush_RepeatedInALaterSession_IsAcknowledgedAgainAndChangesNothing()
    {
        var identity = Guid.NewGuid();
        StoreNode older = await JoinAsync(identity: identity);
        AuthorityMessage grant = await older.BufferAsync("key", "1");
        AuthorityMessage flushed = await older.FlushAsync(grant, tid: 1, grant.Version + 5, "2");
        Assert.Equal((AuthorityMessageKind.Flushed, true, grant.Version + 5), (flushed.Kind, flushed.IsDurable, flushed.Version));
        Assert.True(flushed.VersionLimit > grant.VersionLimit);
        StoreNode newer = await JoinAsync(identity: identity);
        await newer.ClaimsDoneAsync();
        StoreNode writer = await JoinAsync();
        AuthorityMessage written = await writer.AskAsync(ClientMessageKind.Write, "key", "3");
        AuthorityMessage again = await newer.FlushAsync(grant, tid: 1, grant.Version + 5, "2");
        Assert.Equal((AuthorityMessageKind.Flushed, true), (again.Kind, again.IsDurable));
        await AssertStandsAsync(written.Version, "3");
    }

    [Fact]
    [Rule("P15")]
    public async Task Flush_WithoutTheRight_IsRefusedAndChangesNothing()
    {
        StoreNode holder = await JoinAsync();
        AuthorityMessage grant = await holder.BufferAsync("key", "1");
        Assert.Equal(Refusal.RightLost, (await holder.FlushAsync(grant, tid: 1, grant.VersionLimit + 1, "beyond the limit")).Refusal);
        await holder.FlushAsync(grant, tid: 2, grant.Version + 1, "2");
        Assert.Equal(Refusal.RightLost, (await holder.FlushAsync(grant, tid: 3, grant.Version + 1, "not newer")).Refusal);
        await holder.ReleaseAsync(grant);
        AuthorityMessage refused = await holder.FlushAsync(grant, tid: 4, grant.Version + 2, "3");
        Assert.Equal((AuthorityMessageKind.Refused, Refusal.RightLost), (refused.Kind, refused.Refusal));
        await AssertStandsAsync(grant.Version + 1, "2");
    }

    [Fact]
    [Rule("P22")]
    public async Task Claim_OfAnEarlierSessionsGrant_IsAcceptedOnceWithWhatTheRecordHas()
    {
        var identity = Guid.NewGuid();
        StoreNode older = await JoinAsync(identity: identity);
        AuthorityMessage grant = await older.BufferAsync("key", "1");
        StoreNode newer = await JoinAsync(identity: identity);
        AuthorityMessage claimed = await newer.ClaimAsync(grant, grant.Caps | CapSet.FileLazyIO);
        Assert.Equal((grant.Caps, grant.VersionLimit, grant.Version), (claimed.Caps, claimed.VersionLimit, claimed.Version));
        Assert.True(claimed.MaxSize > 0 && claimed.Seq > grant.Seq);
        Assert.Equal(CapSet.None, (await newer.ClaimAsync(grant, grant.Caps)).Caps);
        await newer.ClaimsDoneAsync();
        Assert.Equal(AuthorityMessageKind.Flushed, (await newer.FlushAsync(grant, tid: 1, grant.Version + 1, "2")).Kind);
        StoreNode reader = await JoinAsync();
        await reader.SendAsync(new ClientMessage { Kind = ClientMessageKind.Acquire, Inode = grant.Inode });
        Assert.Empty(reader.Received);
        Assert.Equal(AuthorityMessageKind.Revoke, Assert.Single(await newer.FetchAsync()).Kind);
    }

    [Fact]
    [Rule("P22")]
    public async Task Claim_AfterTheWordThatThisWasAll_IsAnsweredWithNothing()
    {
        var identity = Guid.NewGuid();
        AuthorityMessage grant = await (await JoinAsync(identity: identity)).BufferAsync("key", "1");
        StoreNode newer = await JoinAsync(identity: identity);
        await newer.ClaimsDoneAsync();
        Assert.Equal(CapSet.None, (await newer.ClaimAsync(grant, grant.Caps)).Caps);

        // By the same word nothing that was buffered is missing: the value keeps its version.
        await AssertStandsAsync(grant.Version, "1");
    }

    [Fact]
    [Rule("P22")]
    public async Task Claim_ByAStranger_IsAnsweredWithNothingAndDoesTheHolderNoHarm()
    {
        StoreNode holder = await JoinAsync();
        AuthorityMessage grant = await holder.BufferAsync("key", "1");
        StoreNode stranger = await JoinAsync();
        Assert.Equal(CapSet.None, (await stranger.ClaimAsync(grant, grant.Caps)).Caps);
        Assert.Equal(Refusal.RightLost, (await stranger.FlushAsync(grant, tid: 1, grant.Version + 1, "stolen")).Refusal);
        await stranger.ClaimsDoneAsync();
        Assert.Equal(AuthorityMessageKind.Flushed, (await holder.FlushAsync(grant, tid: 1, grant.Version + 1, "2")).Kind);
    }

    [Fact]
    [Rule("P05", "P22")]
    public async Task Claim_OfARightThatWasTaken_IsAnsweredWithNothing_AndTheValueHasAVersionThatWasNeverSeen()
    {
        var identity = Guid.NewGuid();
        AuthorityMessage grant = await (await JoinAsync(identity: identity)).BufferAsync("key", "1");
        StoreNode newer = await JoinAsync(identity: identity);
        StoreNode reader = await JoinAsync();
        await reader.SendAsync(new ClientMessage { Kind = ClientMessageKind.Acquire, Inode = grant.Inode });
        Time.Advance(Term + Margin - 1);
        await Store.LookAsync(grant.Inode, default);
        Assert.Empty(await reader.FetchAsync());
        Time.Advance(1);
        await Store.LookAsync(grant.Inode, default);
        AuthorityMessage seen = Assert.Single(await reader.FetchAsync());
        Assert.True(seen.Version > grant.VersionLimit);
        Assert.Equal(CapSet.None, (await newer.ClaimAsync(grant, grant.Caps)).Caps);
        Assert.Equal(Refusal.RightLost, (await newer.FlushAsync(grant, tid: 1, grant.Version + 1, "2")).Refusal);
        await AssertStandsAsync(seen.Version, "1");
    }

    [Theory]
    [Rule("P05")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Apply_CloseOfABufferingHolder_RaisesTheVersionUnlessItSaysThatNothingIsMissing(bool isClean)
    {
        StoreNode holder = await JoinAsync();
        AuthorityMessage grant = await holder.BufferAsync("key", "1");
        await holder.CloseAsync(isClean);
        AuthorityMessage seen = await (await JoinAsync()).AskAsync(ClientMessageKind.Acquire, "key");
        Assert.Equal(isClean ? grant.Version : seen.Version, seen.Version);
        Assert.Equal(isClean, seen.Version <= grant.VersionLimit);
    }

    [Fact]
    public async Task Apply_Commit_IsAboutNoObjectAndUsesItsNumberUp()
    {
        StoreNode node = await JoinAsync();
        ClientMessage commit = node.Number(new ClientMessage { Kind = ClientMessageKind.Commit });
        Assert.Equal(0, (await node.ApplyAsync(commit, node.Number(Write("key", "1")))).Refused);
        Assert.Equal(0, (await node.ApplyAsync(commit)).Refused);
        Assert.Single(node.Received);
    }

    [Fact]
    public async Task Open_OtherShape_IsRefused()
    {
        await JoinAsync();
        var opening = new SessionOpening(Region, "another shape", "node", Guid.NewGuid(), default);
        await Assert.ThrowsAsync<SessionRejectedException>(async () => await Store.OpenAsync(opening, default));
    }

    [Fact]
    public async Task Apply_Close_EndsRightsAndRequests()
    {
        (StoreNode holder, StoreNode writer, _) = await BlockAsync();
        Assert.False((await holder.CloseAsync(isClean: false)).IsOpen);
        Assert.Single(await writer.FetchAsync());
    }

    [Fact]
    public async Task Sweep_SilentForTheSessionTimeout_Ends()
    {
        StoreNode silent = await JoinAsync();
        StoreNode alive = await JoinAsync();
        await silent.AskAsync(ClientMessageKind.Acquire, "key");
        await Store.SweepAsync(default);
        Time.Advance(5 * Term - 1);
        await alive.RenewAsync();
        await Store.SweepAsync(default);
        Assert.True((await silent.StandingAsync()).IsOpen);
        Time.Advance(1);
        await Store.SweepAsync(default);
        Assert.False((await silent.StandingAsync()).IsOpen);
        Assert.True((await alive.StandingAsync()).IsOpen);
        Assert.Equal(AuthorityMessageKind.Written, (await alive.AskAsync(ClientMessageKind.Write, "key", "1")).Kind);
    }

    [Fact]
    [Rule("P09")]
    public async Task Forgotten_VersionsAndFencesGrow()
    {
        StoreNode node = await JoinAsync();
        long version = (await node.AskAsync(ClientMessageKind.Write, "key", "1")).Version;
        AuthorityMessage first = await node.OwnAsync("key");
        Incarnation before = Store.Incarnation;
        Time.AdvanceWall(TimeSpan.FromSeconds(1));
        await ForgetAsync();
        AuthorityMessage second = await node.OwnAsync("key");
        Assert.True(Store.Incarnation.Ordinal > before.Ordinal);
        Assert.True(first.Fence.Value > 0);
        Assert.True(second.Fence.Value > Store.Incarnation.Ordinal << 18);
        long after = (await node.AskAsync(ClientMessageKind.Write, "key", "2")).Version;
        Assert.True(after > version && after > Store.Incarnation.Ordinal << 18);
    }

    private protected static ClientMessage Write(string key, string value) =>
        new() { Kind = ClientMessageKind.Write, Key = Encoding.UTF8.GetBytes(key), Payload = Payload.OfBytes(Encoding.UTF8.GetBytes(value)) };

    private protected async Task<StoreNode> JoinAsync(string? region = null, Guid? identity = null)
    {
        var opening = new SessionOpening(region ?? Region, "shape", "node", identity ?? Guid.NewGuid(), default);
        return new StoreNode(Store, await Store.OpenAsync(opening, default));
    }

    /// <summary>What a node that comes now is told of the key.</summary>
    private protected async Task AssertStandsAsync(long version, string value)
    {
        AuthorityMessage seen = await (await JoinAsync()).AskAsync(ClientMessageKind.Acquire, "key");
        Assert.Equal((version, value), (seen.Version, Encoding.UTF8.GetString(seen.Payload.Bytes.Span)));
    }

    /// <summary>A holder that serves a key, a writer that waits for it, and the revoke that the holder is owed.</summary>
    private async Task<(StoreNode Holder, StoreNode Writer, AuthorityMessage Revoke)> BlockAsync()
    {
        StoreNode holder = await JoinAsync();
        await holder.AskAsync(ClientMessageKind.Acquire, "key");
        StoreNode writer = await JoinAsync();
        await writer.SendAsync(Write("key", "1"));
        Assert.Empty(writer.Received);
        AuthorityMessage revoke = Assert.Single(await holder.FetchAsync());
        Assert.Equal(AuthorityMessageKind.Revoke, revoke.Kind);
        return (holder, writer, revoke);
    }
}
