using CacheEngine.Arbitration;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

/// <summary>Writes that expect a version, recalls, and values that end by themselves, at one record.</summary>
public sealed class ConditionalWriteTests
{
    private readonly Desk _desk = new();
    private readonly SessionId _a;
    private readonly SessionId _b;
    private readonly SessionId _c;

    public ConditionalWriteTests()
    {
        _a = _desk.Join();
        _b = _desk.Join();
        _c = _desk.Join();
    }

    [Theory]
    [Rule("P17")]
    [InlineData(-1, Refusal.VersionDiffers)]
    [InlineData(+1, Refusal.VersionUnknown)]
    internal void Write_OnAnotherVersion_IsRefusedOnArrival_AndDisturbsNobody(int off, Refusal refusal)
    {
        long version = Written("one");
        _desk.Grant(_b);
        long request = _desk.WriteOn(_c, version + off, "two");
        AuthorityMessage refused = _desk.Take(_c, AuthorityMessageKind.Refused);
        Assert.Equal((request, refusal, version), (refused.RequestId, refused.Refusal, refused.Version));
        Assert.Equal(version, _desk.Record().Version);
        Assert.Equal(Desk.ServeAndPin, _desk.HeldBy(_b).Issued);
        Assert.Equal(Desk.ServeAndPin, _desk.HeldBy(_a).Issued);
        _desk.AssertOwedNothing(_a, _b, _c);
    }

    [Fact]
    public void Write_OnTheVersionThatStands_IsApplied()
    {
        long version = Written("one");
        _desk.WriteOn(_a, version, "two");
        Assert.Equal(version + 1, _desk.Take(_a, AuthorityMessageKind.Written).Version);
        Assert.Equal("two", _desk.Grant(_b).Payload.Reference);
    }

    [Fact]
    public void Write_OnZero_IsForAnObjectThatWasNeverWritten()
    {
        _desk.WriteOn(_a, 0, "one");
        _desk.Take(_a, AuthorityMessageKind.Written);
        _desk.Ask(_a, ClientMessageKind.Remove);
        long removed = _desk.Take(_a, AuthorityMessageKind.Written).Version;
        _desk.WriteOn(_a, 0, "again");
        Assert.Equal(Refusal.VersionDiffers, _desk.Take(_a, AuthorityMessageKind.Refused).Refusal);
        _desk.WriteOn(_a, removed, "again");
        _desk.Take(_a, AuthorityMessageKind.Written);
    }

    [Fact]
    [Rule("P17")]
    public void Writes_OfTwoOnTheSameVersion_OneIsApplied_TheOtherRefusedInItsTurn()
    {
        long version = Written("one");
        AuthorityMessage grant = _desk.Grant(_c);
        _desk.WriteOn(_a, version, "two");
        AuthorityMessage revoke = _desk.Take(_c, AuthorityMessageKind.Revoke);
        Assert.Equal(grant.Cap, revoke.Cap);
        _desk.WriteOn(_b, version, "three");
        _desk.AssertOwedNothing(_a, _b);
        _desk.Answer(_c, revoke, CapSet.Pin);
        long second = _desk.Take(_a, AuthorityMessageKind.Written).Version;
        AuthorityMessage refused = _desk.Take(_b, AuthorityMessageKind.Refused);
        Assert.Equal((Refusal.VersionDiffers, second), (refused.Refusal, refused.Version));
        _desk.AssertOwedNothing(_a, _b, _c);
    }

    [Fact]
    public void Recall_TakesEveryRight_TheAskersToo_AndLeavesTheValue()
    {
        long version = Written("one");
        _desk.Grant(_b);
        long request = _desk.Ask(_a, ClientMessageKind.Recall);
        AuthorityMessage revoke = _desk.Take(_b, AuthorityMessageKind.Revoke);
        _desk.AssertOwedNothing(_a);
        _desk.Answer(_b, revoke, CapSet.Pin);
        AuthorityMessage done = _desk.Take(_a, AuthorityMessageKind.Written);
        Assert.Equal((request, version, CapSet.Pin), (done.RequestId, done.Version, done.Caps));
        Assert.Equal((CapSet.Pin, CapSet.Pin), _desk.HeldBy(_a));
        Assert.Equal((CapSet.Pin, CapSet.Pin), _desk.HeldBy(_b));
        Assert.Equal("one", _desk.Grant(_c).Payload.Reference);
    }

    [Fact]
    public void Lifetime_IsToldWithEveryGrant_AsWhatIsLeft_AndEndsTheValueUnderANewVersion()
    {
        long version = Written("one", timeToLive: 500);
        _desk.Now += 200;
        AuthorityMessage grant = _desk.Grant(_b);
        Assert.Equal((300, "one"), (grant.TimeToLive, grant.Payload.Reference));
        _desk.PassTime(_desk.Now + 299);
        Assert.True(_desk.Record().HasValue);
        Assert.Equal(1, _desk.Grant(_c).TimeToLive);
        _desk.PassTime(_desk.Now + 1);
        Assert.False(_desk.Record().HasValue);
        Assert.Equal(version + 1, _desk.Record().Version);

        // Nobody was asked for anything, and the next to ask is told that there is none.
        _desk.AssertOwedNothing(_a, _b, _c);
        AuthorityMessage absent = _desk.Grant(_b);
        Assert.Equal((false, version + 1, 0, PayloadKind.None), (absent.HasValue, absent.Version, absent.TimeToLive, absent.Payload.Kind));
    }

    [Fact]
    public void Lifetime_EndsBeforeTheNextRequestIsJudged()
    {
        long version = Written("one", timeToLive: 500);
        _desk.Now += 500;
        _desk.WriteOn(_b, version, "two");
        Assert.Equal(Refusal.VersionDiffers, _desk.Take(_b, AuthorityMessageKind.Refused).Refusal);
        _desk.WriteOn(_b, version + 1, "two");
        AuthorityMessage revoke = _desk.Take(_a, AuthorityMessageKind.Revoke);
        _desk.Answer(_a, revoke, CapSet.Pin);
        _desk.Take(_b, AuthorityMessageKind.Written);

        // The new value has no lifetime: the old one's is forgotten.
        _desk.PassTime(_desk.Now + 100_000);
        Assert.True(_desk.Record().HasValue);
    }

    [Fact]
    public void Lifetime_OfAnOwnersValue_CountsFromItsSettlement()
    {
        AuthorityMessage owned = _desk.Own(_a);
        _desk.Now += 100;
        _desk.Settle(_a, owned, Settlement.Completed, "one", timeToLive: 50);
        _desk.PassTime(_desk.Now + 49);
        Assert.True(_desk.Record().HasValue);
        _desk.PassTime(_desk.Now + 1);
        Assert.False(_desk.Record().HasValue);
    }

    [Fact]
    [Rule("P09")]
    public void VersionsAndFences_OnlyGrow_WhateverHappens()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Walk(new Random(seed), seed);
        }
    }

    private static void Walk(Random random, int seed)
    {
        SourceTerms[] places = [default, new(true, true, 0), new(true, false, 100)];
        var desk = new Desk(places[seed % places.Length]);
        var sessions = new List<SessionId> { desk.Join(), desk.Join(), desk.Join() };
        var owned = new Dictionary<SessionId, AuthorityMessage>();
        var caps = new Dictionary<SessionId, AuthorityMessage>();
        long version = 0;
        Fence given = default;
        Fence stored = default;
        for (int step = 0; step < 300; step++)
        {
            SessionId one = sessions[random.Next(sessions.Count)];
            switch (random.Next(14))
            {
                case 0:
                    desk.PassTime(desk.Now + random.Next(1, 1_500));
                    break;
                case 1:
                    desk.Store.Reincarnate(random.Next(3) == 0 ? 0 : desk.Now);
                    break;
                case 2:
                    desk.End(one);
                    sessions.Remove(one);
                    sessions.Add(desk.Join());
                    break;
                case 3 when caps.TryGetValue(one, out AuthorityMessage cap):
                    desk.Answer(one, cap, CapSet.Pin);
                    break;
                case 4 or 5 or 6 when owned.TryGetValue(one, out AuthorityMessage right):
                    desk.Settle(one, right, (Settlement)random.Next(1, 5), timeToLive: 0);
                    break;
                case 7:
                    desk.Ask(one, ClientMessageKind.Write, "v");
                    break;
                case 8:
                    desk.Ask(one, random.Next(2) == 0 ? ClientMessageKind.Load : ClientMessageKind.Acquire);
                    break;
                case 9:
                    desk.Ask(one, random.Next(2) == 0 ? ClientMessageKind.Remove : ClientMessageKind.Recall);
                    break;
                case 10:
                    desk.Renew(one);
                    break;
                default:
                    desk.Ask(one, ClientMessageKind.Own);
                    break;
            }

            var fences = new SortedSet<Fence>();
            foreach (SessionId session in sessions)
            {
                while (desk.Store.TryTakeOwed(session, desk.Now, out AuthorityMessage message))
                {
                    desk.TakeIn(session, message);
                    caps[session] = message.Cap.Value != 0 ? message : caps.GetValueOrDefault(session);
                    if (message.Fence.Value != 0)
                    {
                        Assert.True(message.Fence > given && fences.Add(message.Fence), $"seed {seed}, step {step}: {message.Fence} after {given}");
                        owned[session] = message;
                    }
                }
            }

            given = fences.Count > 0 ? fences.Max : given;
            var record = desk.Record();
            Assert.True(record.Version >= version && record.Fence >= stored, $"seed {seed}, step {step}");
            (version, stored) = (record.Version, record.Fence);
            AssertAlone(desk, $"seed {seed}, step {step}");
        }

        Assert.True(given.Value > 0, $"seed {seed}");
    }

    /// <summary>Never together: while somebody may change the object, nobody else has any right to serve it.</summary>
    private static void AssertAlone(Desk desk, string where) => desk.Store.Inspect(record =>
    {
        if (record.Owner.IsOpen)
        {
            Assert.True(record.Find(record.Owner.Session)!.State.Implemented.Contains(Rights.Exclusive), where);
            Assert.All(record.Holders, holder =>
                Assert.True(holder.State.Session == record.Owner.Session || !holder.State.Implemented.Overlaps(Rights.Serve), where));
        }
    });

    private long Written(string value, long timeToLive = 0)
    {
        _desk.Send(_a, new ClientMessage
        {
            Kind = ClientMessageKind.Write,
            RequestId = 7_000,
            TimeToLive = timeToLive,
            Payload = Payload.OfReference(value),
        });
        return _desk.Take(_a, AuthorityMessageKind.Written).Version;
    }
}
