using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.PostgreSql.Codec;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Tests;

public sealed class CodecTests
{
    [Fact]
    public void Record_Whole_ComesBack()
    {
        RecordState record = Sample();
        byte[] bytes = RecordCodec.Encode(record, 1234);
        RecordState back = RecordCodec.Decode(record.Id, bytes, [1, 2, 3], out long endsAtUtc);
        Assert.Equal(1234, endsAtUtc);
        Assert.Equal(bytes, RecordCodec.Encode(back, endsAtUtc));
        Assert.Equal(record.Version, back.Version);
        Assert.Equal(record.Fence, back.Fence);
        Assert.Equal(record.Owner, back.Owner);
        Assert.Equal(record.VersionLimit, back.VersionLimit);
        Assert.Equal(record.Applied, back.Applied);
        Assert.True(back.IsUnsettled && back.HasValue);
        Assert.Equal([1, 2, 3], back.Payload.Bytes.ToArray());
        Assert.Equal(record.Holders[0].State, back.Holders[0].State);
        Assert.Equal(record.Holders[0].Cookie, back.Holders[0].Cookie);
        RequestState expected = record.Requests[0];
        RequestState request = Assert.Single(back.Requests);
        Assert.Equal(expected.Payload.Bytes.ToArray(), request.Payload.Bytes.ToArray());
        Assert.Equal(expected with { Payload = default }, request with { Payload = default });
    }

    [Fact]
    public void Record_OnlyNamed_IsEmpty()
    {
        RecordState record = RecordCodec.Decode(new InodeId(5), [], null, out long endsAtUtc);
        Assert.Equal((0L, long.MaxValue), (record.Version, endsAtUtc));
        Assert.Empty(record.Holders);
    }

    [Fact]
    public void Record_FlushesOfAsManyEnginesAsMayBe_AreRead_AndOfOneMoreRefused()
    {
        RecordState record = Sample();
        record.Applied.Clear();
        for (ulong i = 1; i <= RecordFlushes.MaxEngines; i++)
        {
            record.Applied.Add(new AppliedFlush(new EngineId(i), new FlushTid(i)));
        }

        byte[] most = RecordCodec.Encode(record, 1);
        Assert.Equal(record.Applied, RecordCodec.Decode(record.Id, most, [1, 2, 3], out _).Applied);
        record.Applied.Add(new AppliedFlush(new EngineId(0), new FlushTid(1)));
        byte[] more = RecordCodec.Encode(record, 1);
        Assert.Throws<InvalidDataException>(() => RecordCodec.Decode(record.Id, more, [1, 2, 3], out _));
    }

    [Fact]
    public void Record_CutAnywhere_IsRefused()
    {
        byte[] bytes = RecordCodec.Encode(Sample(), 1);
        for (int length = 1; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            Assert.Throws<InvalidDataException>(() => RecordCodec.Decode(new InodeId(1), cut, [1, 2, 3], out _));
        }

        Assert.Throws<InvalidDataException>(() => RecordCodec.Decode(new InodeId(1), [.. bytes, 0], [1, 2, 3], out _));
        Assert.Throws<InvalidDataException>(() => RecordCodec.Decode(new InodeId(1), bytes, null, out _));
    }

    [Fact]
    public void Record_AnyByteChanged_IsReadOrRefusedWhole()
    {
        byte[] bytes = RecordCodec.Encode(Sample(), 1);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 0xFF;
            try
            {
                _ = RecordCodec.Decode(new InodeId(1), changed, [1, 2, 3], out _);
            }
            catch (InvalidDataException)
            {
                // The only way to fail.
            }
        }
    }

    [Fact]
    public void Message_Whole_ComesBack()
    {
        var message = new AuthorityMessage
        {
            Kind = AuthorityMessageKind.Refused,
            Session = new SessionId(1),
            Sequence = new MessageSeq(2),
            RequestId = 3,
            Inode = new InodeId(4),
            Cookie = ulong.MaxValue,
            Cap = new CapId(6),
            Seq = new CapSeq(uint.MaxValue),
            Caps = Rights.Serve,
            Version = 9,
            HasValue = true,
            TimeToLive = 10,
            Fence = new Fence(11),
            IsUnsettled = true,
            Refusal = Refusal.VersionUnknown,
            Tid = new FlushTid(ulong.MaxValue),
            IsDurable = true,
            VersionLimit = 12,
            MaxSize = 13,
        };
        byte[] bytes = MessageCodec.Encode(message);
        Assert.Equal(message, MessageCodec.Decode(message.Session, message.Sequence, bytes));
        for (int length = 0; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            Assert.Throws<InvalidDataException>(() => MessageCodec.Decode(message.Session, message.Sequence, cut));
        }
    }

    [Fact]
    public void Window_Whole_ComesBack()
    {
        var window = default(ReceivedWindow);
        for (ulong i = 1; i <= 100; i++)
        {
            window.Take(new MessageSeq(i), i * 31);
        }

        ReceivedWindow back = ReceivedCodec.Decode(ReceivedCodec.Encode(window));
        Assert.Equal(new MessageSeq(100), back.Last);
        Assert.Equal(Reception.Repeated, back.Take(new MessageSeq(37), 37 * 31));
        Assert.Equal(Reception.Contradicts, back.Take(new MessageSeq(37), 1));
        Assert.Throws<InvalidDataException>(() => ReceivedCodec.Decode(new byte[8]));
    }

    private static RecordState Sample()
    {
        var record = new RecordState(new InodeId(1))
        {
            Version = 2,
            HasValue = true,
            Payload = Payload.OfBytes(new byte[] { 1, 2, 3 }),
            Fence = new Fence(3),
            Owner = new OwnerState(new SessionId(4), 5, new CapId(6), new Fence(3)),
            IsUnsettled = true,
            VersionLimit = 16,
        };
        record.Applied.Add(new AppliedFlush(new EngineId(UInt128.MaxValue - 1), new FlushTid(ulong.MaxValue)));
        record.Applied.Add(new AppliedFlush(new EngineId(17), new FlushTid(18)));
        record.Holders.Add(new Holder
        {
            State = new HolderState
            {
                Session = new SessionId(4),
                Engine = new EngineId(((UInt128)19 << 64) | 20),
                Cap = new CapId(6),
                Issued = Rights.Serve,
                Implemented = Rights.Exclusive,
                Wanted = Rights.AfterWrite,
                Seq = new CapSeq(7),
                IssueSeq = new IssueSeq(6),
                RevokeMessage = new MessageSeq(8),
            },
            Cookie = 9,
        });
        record.Requests.Add(new RequestState
        {
            Session = new SessionId(10),
            RequestId = 11,
            Kind = RequestKind.Write,
            Need = Rights.Serve,
            Want = Rights.AfterWrite,
            Cookie = 12,
            Yielded = 13,
            Precondition = Precondition.Exactly(14),
            TimeToLive = 15,
            Size = 21,
            Payload = Payload.OfBytes(new byte[] { 4 }),
        });
        return record;
    }
}
