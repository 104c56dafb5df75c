using System.Buffers;
using System.Text;
using CacheEngine.Authority;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using Microsoft.Extensions.Caching.Hybrid;

namespace CacheEngine.Tests.Coherence;

/// <summary>Bad input gets a standard exception that names the argument and the rule, and changes nothing.</summary>
public class BadInputTests
{
    [Fact]
    public async Task NullKeys()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        CoherentCache<string, string> cache = cluster.Nodes[0];
        Assert.Throws<ArgumentNullException>("key", () => cache.TryGet(null!, out _));
        Assert.Throws<ArgumentNullException>("key", () => cache.TryGet(null!, out _, out _));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.GetAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.SetAsync(null!, "v"));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.RemoveAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.GetOrCreateAsync(null!, (_, _) => ValueTask.FromResult("v")));
        await Assert.ThrowsAsync<ArgumentNullException>("factory", async () => await cache.GetOrCreateAsync("k", null!));
        await Assert.ThrowsAsync<ArgumentNullException>("keys", async () => await cache.GetManyAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("keys", async () => await cache.GetManyAsync(["a", null!]));
        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public async Task DisposedCache_RefusesEverything_AndItsWaitersFail()
    {
        Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        CoherentCache<string, string> cache = cluster.Nodes[0];
        await cache.SetAsync("k", "v");
        cluster.Links.Cut("node0");
        Task<Lookup<string>> read = cache.GetAsync("other").AsTask();
        Task<long> write = cache.SetAsync("k", "v2").AsTask();
        Task<string> load = cache.GetOrCreateAsync("third", (_, _) => ValueTask.FromResult("v")).AsTask();

        await cache.DisposeAsync();
        await cache.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
        await Assert.ThrowsAsync<AuthorityUnavailableException>(() => write);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => load);
        Assert.Throws<ObjectDisposedException>(() => cache.TryGet("k", out _));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.GetAsync("k"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.SetAsync("k", "v"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.RemoveAsync("k"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cache.GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("v")));
        Assert.Equal(0, cache.Engine.OperationsInFlight);
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task DisposedAuthority_FailsWaitingOperationsByTheirBound()
    {
        Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.OperationTimeout = TimeSpan.FromMilliseconds(300));
        await cluster.Authority.DisposeAsync();
        await Assert.ThrowsAsync<AuthorityUnavailableException>(async () => await cluster.Nodes[0].GetAsync("k"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await CoherentCache.OpenAsync<string, string>(cluster.Authority, "region"));
        await cluster.DisposeAsync();
    }

    [Theory]
    [Rule("P32")]
    [InlineData(-1000)]
    [InlineData(0)]
    [InlineData(40)]
    public void LeaseTerms_ThatAreNegativeOrDrownInTheirMargin_AreRefused(int milliseconds)
    {
        ArgumentException error = Assert.ThrowsAny<ArgumentException>(
            () => EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { LeaseTerm = TimeSpan.FromMilliseconds(milliseconds) }));
        Assert.Contains("erm", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Rule("P32")]
    public void OtherUnsafeTerms_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("clockDrift", () => EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { ClockDrift = -0.1 }));
        Assert.Throws<ArgumentOutOfRangeException>("clockDrift", () => EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { ClockDrift = double.NaN }));
        Assert.ThrowsAny<ArgumentException>(() => EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { SessionTimeout = TimeSpan.FromSeconds(5) }));
        Assert.Throws<ArgumentOutOfRangeException>("Latency", () => EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { Latency = TimeSpan.FromSeconds(-1) }));
    }

    [Fact]
    public async Task CacheOptions_OutOfRange_AreNamed()
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create();
        await Refused(nameof(CoherentCacheOptions<,>.MaxEntries), new() { MaxEntries = 0 });
        await Refused(nameof(CoherentCacheOptions<,>.MaxOperations), new() { MaxOperations = -1 });
        await Refused(nameof(CoherentCacheOptions<,>.OperationTimeout), new() { OperationTimeout = TimeSpan.Zero });
        await Refused(nameof(CoherentCacheOptions<,>.Expiration), new() { Placement = ValuePlacement.Source, Expiration = TimeSpan.FromSeconds(-1) });
        await Refused(nameof(CoherentCacheOptions<,>.Expiration), new() { Expiration = TimeSpan.MaxValue });
        await Refused(nameof(CoherentCacheOptions<,>.BreakTimeout), new() { BreakTimeout = TimeSpan.FromSeconds(30) });
        await Refused(nameof(CoherentCacheOptions<,>.BreakTimeout), new() { BreakTimeout = TimeSpan.Zero });
        await Refused(nameof(CoherentCacheOptions<,>.Placement), new() { MaxSourceWriteTime = TimeSpan.FromSeconds(1) });
        await Refused(nameof(CoherentCacheOptions<,>.Placement), new() { RaiseFenceAsync = static (_, _, _) => default });
        await Refused(nameof(CoherentCacheOptions<,>.MaxSourceWriteTime), new() { Placement = ValuePlacement.Source, MaxSourceWriteTime = TimeSpan.Zero });
        await Refused(nameof(CoherentCacheOptions<,>.MaxSourceWriteTime), new()
        {
            Placement = ValuePlacement.Source,
            MaxSourceWriteTime = TimeSpan.FromSeconds(1),
            RaiseFenceAsync = static (_, _, _) => default,
        });
        await Refused(nameof(CoherentCacheOptions<,>.Placement), new() { Placement = (ValuePlacement)7 });
        await Assert.ThrowsAsync<ArgumentNullException>("authority", async () => await CoherentCache.OpenAsync<string, string>(null!, "r"));
        await Assert.ThrowsAsync<ArgumentException>("region", async () => await CoherentCache.OpenAsync<string, string>(authority, string.Empty));
        NotSupportedException noCodec = await Assert.ThrowsAsync<NotSupportedException>(async () => await CoherentCache.OpenAsync<DateTime, string>(authority, "r"));
        Assert.Contains("KeyCodec", noCodec.Message, StringComparison.Ordinal);

        async Task Refused(string name, CoherentCacheOptions<string, string> options)
        {
            ArgumentException error = await Assert.ThrowsAnyAsync<ArgumentException>(async () => await CoherentCache.OpenAsync(authority, "r", options));
            Assert.Equal(name, error.ParamName);
        }
    }

    [Fact]
    public async Task RegionOpenWithAnotherCodecTypeOrPlacement_IsRefused()
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create();
        await using CoherentCache<string, string> first = await CoherentCache.OpenAsync<string, string>(authority, "r");
        await Refused<string, string>(new() { KeyCodec = new ThrowingCodec() });
        await Refused<long, string>(null);
        await Refused<string, byte[]>(null);
        await Refused<string, string>(new() { Placement = ValuePlacement.Source });
        await using CoherentCache<string, string> second = await CoherentCache.OpenAsync<string, string>(authority, "r");

        async Task Refused<TKey, TValue>(CoherentCacheOptions<TKey, TValue>? options)
            where TKey : notnull
        {
            InvalidOperationException error = await Assert.ThrowsAsync<SessionRejectedException>(async () => await CoherentCache.OpenAsync(authority, "r", options));
            Assert.Contains("'r'", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task CopyingAuthority_WithoutASerializer_IsRefused()
    {
        await using EmbeddedAuthority authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions { CopyValues = true });
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await CoherentCache.OpenAsync<string, Version>(authority, "r"));
        Assert.Contains("Serializer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThrowingKeyCodec_NamesTheKey_AndLeavesNothingBehind()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.KeyCodec = new ThrowingCodec());
        CoherentCache<string, string> cache = cluster.Nodes[0];
        ArgumentException error = Assert.Throws<ArgumentException>("key", () => cache.TryGet("bad", out _));
        Assert.Contains("throwing", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>("key", async () => await cache.SetAsync("bad", "v"));
        await cache.SetAsync("good", "v");
        Assert.Equal(1, cache.Count);
        Assert.Equal(0, cache.Engine.OperationsInFlight);
    }

    [Fact]
    public async Task ThrowingSerializer_FailsItsCallerOnly_AndOthersGoOn()
    {
        var serializer = new FragileSerializer();
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(
            2, o => o.CopyValues = true, o => o.Serializer = serializer);
        await Assert.ThrowsAsync<FormatException>(async () => await cluster.Nodes[0].SetAsync("k", "unwritable"));
        Assert.Equal(LookupStatus.Absent, (await cluster.Nodes[0].GetAsync("k")).Status);
        await Assert.ThrowsAsync<FormatException>(async () => await cluster.Nodes[0].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("unwritable")));
        Assert.Equal("fine", await cluster.Nodes[1].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("fine")));

        await cluster.Nodes[0].SetAsync("k", "value");
        serializer.FailsToRead = true;
        await Assert.ThrowsAsync<FormatException>(async () => await cluster.Nodes[1].GetAsync("k"));
        Assert.False(cluster.Nodes[1].TryGet("k", out _));
        serializer.FailsToRead = false;
        Assert.Equal("value", (await cluster.Nodes[1].GetAsync("k")).Value);
        Assert.True(cluster.Nodes[1].TryGet("k", out _));
    }

    [Fact]
    public async Task SetAtTheSource_IsRefused_AndSaysWhatToDo()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.Placement = ValuePlacement.Source);
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await cluster.Nodes[0].SetAsync("k", "v"));
        Assert.Contains("RemoveAsync", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TooManyOperationsInFlight_FailAtOnce_AndNothingIsLeftBehind()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1, cache: o => o.MaxOperations = 2);
        CoherentCache<string, string> cache = cluster.Nodes[0];
        cluster.Links.Cut("node0");
        Task[] waiting = [cache.GetAsync("a").AsTask(), cache.SetAsync("b", "v").AsTask()];
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await cache.GetAsync("c"));
        Assert.Contains("MaxOperations", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await cache.SetAsync("b", "w"));
        cluster.Links.Restore(cluster.Authority);
        await Task.WhenAll(waiting);
        Assert.Equal("v", (await cache.GetAsync("b")).Value);
    }

    [Fact]
    public async Task LoadThatCannotBeStored_GoesToItsCallers_AndOthersCanLoad()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: o => o.MaxOperations = 1);
        var gate = new TaskCompletionSource<string>();
        Task<string> load = cluster.Nodes[0].GetOrCreateAsync("k", async (_, _) => await gate.Task).AsTask();
        cluster.Links.Cut("node0");
        Task<Lookup<string>> other = cluster.Nodes[0].GetAsync("other").AsTask();

        gate.SetResult("loaded");
        Assert.Equal("loaded", await load.WaitAsync(TimeSpan.FromSeconds(5)));

        cluster.Links.Restore(cluster.Authority);
        await other;
        Assert.Equal("second", await cluster.Nodes[1].GetOrCreateAsync("k", (_, _) => ValueTask.FromResult("second")).AsTask().WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task GetMany_OfKnownAndRepeatedKeys_NeedsNoRoom()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(2, cache: o => o.MaxEntries = 4);
        string[] keys = ["a", "a", "b", "c", "d", "d"];
        Assert.Equal(6, (await cluster.Nodes[1].GetManyAsync(keys)).Length);
        foreach (string key in keys)
        {
            await cluster.Nodes[0].SetAsync(key, key);
        }

        Assert.Equal(keys, (await cluster.Nodes[1].GetManyAsync(keys)).Select(found => found.Value));
    }

    [Fact]
    public async Task MessagesThatAreMalformedOrForAnotherSession_AreRefusedWhole()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        Engine engine = cluster.Nodes[0].Engine;
        long version = await cluster.Nodes[0].SetAsync("k", "v");
        ISessionLink link = engine.Session.Link!;
        SessionId id = link.Id;
        ClientMessage[] bad =
        [
            new() { Kind = ClientMessageKind.None, Session = id },
            new() { Kind = (ClientMessageKind)200, Session = id },
            new() { Kind = ClientMessageKind.Acquire, Session = new SessionId(id.Value + 1), Inode = new InodeId(1) },
            new() { Kind = ClientMessageKind.Acquire, Session = id },
            new() { Kind = ClientMessageKind.Acquire, Session = id, Inode = new InodeId(999) },
            new() { Kind = ClientMessageKind.Write, Session = id, Inode = new InodeId(1) },
            new() { Kind = ClientMessageKind.CapUpdate, Session = id, Inode = new InodeId(1), Caps = CapSet.FromBits(0x10000) },
        ];
        foreach (ClientMessage message in bad)
        {
            // Under the number that is due, so that nothing but the fault is wrong with it. One for another session does not use the number up.
            ClientMessage numbered = message;
            bool isForeign = message.Session != id;
            engine.Session.Stamp(ref numbered, link);
            numbered.Session = message.Session;
            link.Post(numbered);
            if (isForeign)
            {
                link.Post(new ClientMessage { Kind = ClientMessageKind.Release, Session = id, Sequence = numbered.Sequence, Inode = new InodeId(1), Cap = new Caps.CapId(99) });
            }
        }

        Assert.Equal(bad.Length, cluster.Authority.RefusedMessages);
        Assert.Equal("v", (await cluster.Nodes[0].GetAsync("k")).Value);
        Assert.Equal(version, (await cluster.Nodes[0].GetAsync("k")).Version);
    }

    [Fact]
    public async Task AuthorityMessageThatCannotBeUnderstood_CostsTheSessionNotTheTruth()
    {
        await using Cluster<string> cluster = await Cluster<string>.OpenAsync(1);
        Engine engine = cluster.Nodes[0].Engine;
        await cluster.Nodes[0].SetAsync("k", "v");
        SessionGeneration before = engine.Session.Generation;
        var gap = new AuthorityMessage
        {
            Kind = AuthorityMessageKind.Revoke,
            Session = engine.Session.Link!.Id,
            Sequence = new MessageSeq(engine.Session.TookIn.Value + 2),
            Inode = new InodeId(1),
        };

        engine.TakeIn(gap, engine.Session.Link);

        // The rights of the session are claimed in the next one, which is opened at once.
        Assert.NotEqual(before, engine.Session.Generation);
        Assert.Equal("v", (await cluster.Nodes[0].GetAsync("k")).Value);
    }

    [Fact]
    public void DefaultStructs_AreHarmless()
    {
        Assert.Equal("-", default(CapSet).ToString());
        Assert.Equal(LookupStatus.Unknown, default(Lookup<string>).Status);
        Assert.False(default(Lookup<string>).IsHit);
        Assert.Equal(PayloadKind.None, default(Payload).Kind);
        Assert.Throws<InvalidOperationException>(() => default(Payload).Reference);
        default(Caps.CapReservation).Dispose();
    }

    private sealed class ThrowingCodec : IKeyCodec<string>
    {
        public string Name => "throwing";

        public int GetByteCount(string key) => key == "bad" ? throw new FormatException("on purpose") : key.Length;

        public void Encode(string key, Span<byte> destination) => Encoding.ASCII.GetBytes(key, destination);
    }

    private sealed class FragileSerializer : IHybridCacheSerializer<string>
    {
        public bool FailsToRead { get; set; }

        public string Deserialize(ReadOnlySequence<byte> source) =>
            FailsToRead ? throw new FormatException("on purpose") : Encoding.UTF8.GetString(source);

        public void Serialize(string value, IBufferWriter<byte> target)
        {
            if (value == "unwritable")
            {
                throw new FormatException("on purpose");
            }

            Encoding.UTF8.GetBytes(value, target);
        }
    }
}
