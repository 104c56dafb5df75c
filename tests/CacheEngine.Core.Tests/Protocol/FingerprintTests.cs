using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Protocol;

[Rule("P23")]
public class FingerprintTests
{
    private static readonly ClientMessage Message = new()
    {
        Kind = ClientMessageKind.Settle,
        Session = new SessionId(1),
        Sequence = new MessageSeq(2),
        TookIn = new MessageSeq(3),
        RequestId = 4,
        Inode = new InodeId(5),
        Key = new byte[] { 6 },
        Cookie = 7,
        Cap = new CapId(8),
        Seq = new CapSeq(9),
        Caps = CapSet.Pin,
        Wanted = CapSet.FileExcl,
        Precondition = Precondition.Exactly(10),
        Ownership = new Ownership(11, new Fence(12)),
        Settlement = Settlement.Completed,
        TimeToLive = 13,
        Payload = Payload.OfBytes(new byte[100]),
    };

    [Fact]
    public void EveryFieldThatSaysSomething_Counts()
    {
        byte[] middle = new byte[100];
        byte[] last = new byte[100];
        byte[] first = new byte[100];
        middle[50] = 1;
        last[99] = 1;
        first[0] = 1;
        ClientMessage[] others =
        [
            Message with { Kind = ClientMessageKind.Write },
            Message with { RequestId = 44 },
            Message with { Inode = new InodeId(44) },
            Message with { Key = new byte[] { 44 } },
            Message with { Key = default },
            Message with { Cookie = 44 },
            Message with { Cap = new CapId(44) },
            Message with { Seq = new CapSeq(44) },
            Message with { Caps = CapSet.None },
            Message with { Wanted = CapSet.None },
            Message with { Precondition = Precondition.Exactly(11) },
            Message with { Precondition = new Precondition(false, 10) },
            Message with { Precondition = new Precondition(false, 11) },
            Message with { Ownership = new Ownership(44, new Fence(12)) },
            Message with { Ownership = new Ownership(11, new Fence(44)) },
            Message with { Settlement = Settlement.Abandoned },
            Message with { TimeToLive = 44 },
            Message with { Payload = default },
            Message with { Payload = Payload.OfReference("v") },
            Message with { Payload = Payload.OfBytes(new byte[99]) },
            Message with { Payload = Payload.OfBytes(first) },
            Message with { Payload = Payload.OfBytes(last) },
        ];
        ulong[] prints = [.. others.Select(other => MessageRules.Fingerprint(other)), MessageRules.Fingerprint(Message)];
        Assert.Equal(prints.Length, prints.Distinct().Count());

        // Both ends of a value are looked at, and its middle is not: the cost does not grow with it.
        Assert.Equal(MessageRules.Fingerprint(Message), MessageRules.Fingerprint(Message with { Payload = Payload.OfBytes(middle) }));
    }

    [Fact]
    public void ARepetition_MaySayAnewHowFarItsSenderHasCome() =>
        Assert.Equal(MessageRules.Fingerprint(Message), MessageRules.Fingerprint(Message with { TookIn = new MessageSeq(44) }));
}
