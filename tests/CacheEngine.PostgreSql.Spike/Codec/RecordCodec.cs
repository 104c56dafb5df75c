using CacheEngine.Arbitration;
using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.PostgreSql.Codec;

/// <summary>
/// The stored form of a record: everything but its value, which has a column of its own, and the times of a process's clock, which mean nothing elsewhere.
/// </summary>
/// <remarks>What is left out: when a revoke was sent and since when an object is unsettled. Each process counts them from when it first saw them itself (see
/// <see cref="Store.Observations"/>). The end of a value is the one time that is stored, on the database's clock.</remarks>
internal static class RecordCodec
{
    private const byte Format = 2;
    private const int AppliedBytes = 24;
    private const int HolderBytes = 68;
    private const int RequestBytes = 63;

    public static byte[] Encode(RecordState record, long endsAtUtc)
    {
        var to = new ByteWriter();
        to.Byte(Format);
        to.Int64(record.Version);
        to.Flag(record.HasValue);
        to.Flag(record.Payload.Kind != PayloadKind.None);
        to.Int64(endsAtUtc);
        to.Int64(record.VersionLimit);
        to.UInt32((uint)record.Applied.Count);
        foreach (AppliedFlush applied in record.Applied)
        {
            Write(to, applied.Engine);
            to.UInt64(applied.Tid.Value);
        }

        to.Int64(record.Fence.Value);
        to.Int64(record.Owner.Session.Value);
        to.Int64(record.Owner.Request);
        to.UInt64(record.Owner.Cap.Value);
        to.Int64(record.Owner.Fence.Value);
        to.Flag(record.IsUnsettled);
        to.UInt32((uint)record.Holders.Count);
        foreach (Holder holder in record.Holders)
        {
            Write(to, holder);
        }

        to.UInt32((uint)record.Requests.Count);
        foreach (RequestState request in record.Requests)
        {
            Write(to, request);
        }

        return to.ToArray();
    }

    /// <summary>Reads a record back.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="state">What <see cref="Encode"/> made; empty for an object that has only been named yet.</param>
    /// <param name="value">The value's bytes, if there are any.</param>
    /// <param name="endsAtUtc">When the value ends.</param>
    /// <exception cref="InvalidDataException">The bytes are not a record.</exception>
    public static RecordState Decode(InodeId id, ReadOnlySpan<byte> state, byte[]? value, out long endsAtUtc)
    {
        var record = new RecordState(id);
        endsAtUtc = long.MaxValue;
        if (state.IsEmpty)
        {
            return record;
        }

        var from = new ByteReader(state);
        byte format = from.Byte();
        if (format != Format)
        {
            throw new InvalidDataException($"Record {id.Value} has format {format}; this version reads {Format}.");
        }

        record.Version = from.Int64();
        record.HasValue = from.Flag();
        record.Payload = from.Flag() ? Payload.OfBytes(value ?? throw new InvalidDataException($"Record {id.Value} has lost its value.")) : default;
        endsAtUtc = from.Int64();
        record.VersionLimit = from.Int64();
        ReadApplied(ref from, record);
        record.Fence = new Fence(from.Int64());
        record.Owner = new OwnerState(new SessionId(from.Int64()), from.Int64(), new CapId(from.UInt64()), new Fence(from.Int64()));
        record.IsUnsettled = from.Flag();
        for (int left = from.Count(HolderBytes); left > 0; left--)
        {
            record.Holders.Add(ReadHolder(ref from));
        }

        for (int left = from.Count(RequestBytes); left > 0; left--)
        {
            record.Requests.Add(ReadRequest(ref from));
        }

        from.End();
        return record;
    }

    private static void ReadApplied(ref ByteReader from, RecordState record)
    {
        int count = from.Count(AppliedBytes);
        if (count > RecordFlushes.MaxEngines)
        {
            throw new InvalidDataException($"Record {record.Id.Value} remembers flushes of {count} engines; at most {RecordFlushes.MaxEngines} may be.");
        }

        for (int left = count; left > 0; left--)
        {
            record.Applied.Add(new AppliedFlush(ReadEngine(ref from), new FlushTid(from.UInt64())));
        }
    }

    private static void Write(ByteWriter to, EngineId engine)
    {
        to.UInt64((ulong)(engine.Value >> 64));
        to.UInt64((ulong)engine.Value);
    }

    private static EngineId ReadEngine(ref ByteReader from) => new(new UInt128(from.UInt64(), from.UInt64()));

    private static void Write(ByteWriter to, Holder holder)
    {
        to.Int64(holder.State.Session.Value);
        Write(to, holder.State.Engine);
        to.UInt64(holder.State.Cap.Value);
        to.UInt32(holder.State.Issued.Bits);
        to.UInt32(holder.State.Implemented.Bits);
        to.UInt32(holder.State.Wanted.Bits);
        to.UInt32(holder.State.Seq.Value);
        to.UInt32(holder.State.IssueSeq.Value);
        to.UInt64(holder.State.RevokeMessage.Value);
        to.UInt64(holder.Cookie);
    }

    private static Holder ReadHolder(ref ByteReader from)
    {
        var holder = new Holder
        {
            State = new HolderState
            {
                Session = new SessionId(from.Int64()),
                Engine = ReadEngine(ref from),
                Cap = new CapId(from.UInt64()),
                Issued = CapSet.FromBits(from.UInt32()),
                Implemented = CapSet.FromBits(from.UInt32()),
                Wanted = CapSet.FromBits(from.UInt32()),
                Seq = new CapSeq(from.UInt32()),
                IssueSeq = new IssueSeq(from.UInt32()),
                RevokeMessage = new MessageSeq(from.UInt64()),
            },
        };
        holder.Cookie = from.UInt64();
        return holder;
    }

    private static void Write(ByteWriter to, in RequestState request)
    {
        to.Int64(request.Session.Value);
        to.Int64(request.RequestId);
        to.Byte((byte)request.Kind);
        to.UInt32(request.Need.Bits);
        to.UInt32(request.Want.Bits);
        to.UInt64(request.Cookie);
        to.UInt32((uint)request.Yielded);
        to.Flag(request.Precondition.IsStated);
        to.Int64(request.Precondition.Version);
        to.Int64(request.TimeToLive);
        to.Int64(request.Size);
        PayloadCodec.Write(to, request.Payload);
    }

    private static RequestState ReadRequest(ref ByteReader from) => new()
    {
        Session = new SessionId(from.Int64()),
        RequestId = from.Int64(),
        Kind = (RequestKind)from.UpTo((byte)RequestKind.Recall),
        Need = CapSet.FromBits(from.UInt32()),
        Want = CapSet.FromBits(from.UInt32()),
        Cookie = from.UInt64(),
        Yielded = (int)from.UInt32(),
        Precondition = new Precondition(from.Flag(), from.Int64()),
        TimeToLive = from.Int64(),
        Size = from.Int64(),
        Payload = PayloadCodec.Read(ref from),
    };
}
