using System.Text;
using CacheEngine.Authority;
using CacheEngine.Embedded;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Embedded;

public sealed class MemoryRecordStoreTests
{
    private readonly MemoryRecordStore _store = new(new LeaseTerms(1_000, 0.01, 5, 5_000), new FixedLatency(0), static (_, _) => { });

    [Fact]
    public void Bind_RegionAndKey_NameOneObjectForEver()
    {
        InodeId id = _store.Bind("region", default, Bytes("key"));
        Assert.True(id.IsKnown);
        Assert.Equal(id, _store.Bind(new string("region"), default, Bytes("key")));
        Assert.NotEqual(id, _store.Bind("region", default, Bytes("kez")));
        Assert.NotEqual(id, _store.Bind("regiom", default, Bytes("key")));
        Assert.NotEqual(_store.Bind("ab", default, Bytes("c")), _store.Bind("a", default, Bytes("bc")));
    }

    [Fact]
    public void Bind_CallersBufferChangesAfterwards_TheNameStays()
    {
        byte[] buffer = Bytes("key");
        InodeId id = _store.Bind("region", default, buffer);
        buffer[0] = (byte)'x';
        Assert.Equal(id, _store.Bind("region", default, Bytes("key")));
        Assert.NotEqual(id, _store.Bind("region", default, buffer));
    }

    [Fact]
    public void Bind_OneKeyFromManyThreads_IsOneRecord()
    {
        const int Threads = 4;
        const int Rounds = 1_000;
        var got = new InodeId[Threads];
        using var round = new Barrier(Threads);
        Crew.Run(Threads, member =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                round.SignalAndWait();
                got[member] = _store.Bind("region", default, BitConverter.GetBytes(i));
                round.SignalAndWait();
                Assert.Equal(got[0], got[member]);
                Assert.True(_store.TryTransit(got[member], new RecordEvent(RecordEventKind.TimePassed, default), 0));
            }
        });

        int records = 0;
        _store.Inspect(_ => records++);
        Assert.Equal(Rounds, records);
    }

    [Fact]
    public void TryTransit_NoSuchRecord_IsFalse() =>
        Assert.False(_store.TryTransit(new InodeId(99), new RecordEvent(RecordEventKind.TimePassed, default), 0));

    [Fact]
    public void TryTakeOwed_NoSuchSession_IsFalse() => Assert.False(_store.TryTakeOwed(new SessionId(99), 0, out _));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
