using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Protocol;

public class MessageRulesTests
{
    private static readonly SessionId Session = new(7);
    private static readonly MessageSeq TookIn = new(41);
    private static readonly CapSet Undefined = CapSet.FromBits(0x0002);

    public static TheoryData<string> ClientKinds => [.. Enum.GetNames<ClientMessageKind>().Where(name => name != "None")];

    public static TheoryData<string> AuthorityKinds => [.. Enum.GetNames<AuthorityMessageKind>().Where(name => name != "None")];

    [Theory]
    [MemberData(nameof(ClientKinds))]
    public void Client_CompleteMessage_HasNoFault(string kind) => Assert.Equal(MessageFault.None, Judge(Complete(kind)));

    [Theory]
    [InlineData(0)]
    [InlineData((int)ClientMessageKind.Close + 1)]
    [InlineData(255)]
    public void Client_UnknownKind_IsAFault(int kind)
    {
        ClientMessage message = Complete(nameof(ClientMessageKind.Write));
        message.Kind = (ClientMessageKind)kind;

        Assert.Equal(MessageFault.UnknownKind, Judge(message));
    }

    [Theory]
    [MemberData(nameof(ClientKinds))]
    public void Client_AnotherSession_IsAFault(string kind)
    {
        ClientMessage message = Complete(kind);
        message.Session = new SessionId(8);

        Assert.Equal(MessageFault.OtherSession, Judge(message));
    }

    [Theory]
    [MemberData(nameof(ClientKinds))]
    public void Client_UndefinedBits_AreAFault(string kind)
    {
        ClientMessage held = Complete(kind);
        held.Caps |= Undefined;
        ClientMessage wanted = Complete(kind);
        wanted.Wanted |= CapSet.FileWriteExtend;

        Assert.Equal(MessageFault.UndefinedBits, Judge(held));
        Assert.Equal(MessageFault.UndefinedBits, Judge(wanted));
    }

    [Theory]
    [MemberData(nameof(ClientKinds))]
    public void Client_NeitherObjectNorKey_IsAFaultOfWhatIsAboutAnObject(string kind)
    {
        ClientMessage message = Complete(kind);
        message.Inode = default;
        bool isAboutObject = kind is not (nameof(ClientMessageKind.Renew) or nameof(ClientMessageKind.Close)
            or nameof(ClientMessageKind.ClaimsDone) or nameof(ClientMessageKind.Commit));
        bool namesGrant = kind is nameof(ClientMessageKind.Flush) or nameof(ClientMessageKind.Claim);

        Assert.Equal(isAboutObject ? MessageFault.NoSuchObject : MessageFault.None, Judge(message));
        message.Key = new byte[] { 1 };
        Assert.Equal(namesGrant ? MessageFault.Inconsistent : MessageFault.None, Judge(message));
    }

    [Theory]
    [MemberData(nameof(ClientKinds))]
    public void Client_NoPayload_IsAFaultOfWhatCarriesAValue(string kind)
    {
        ClientMessage message = Complete(kind);
        message.Payload = default;
        bool carriesValue = kind is nameof(ClientMessageKind.Write) or nameof(ClientMessageKind.Fill);

        Assert.Equal(carriesValue ? MessageFault.MissingPayload : MessageFault.None, Judge(message));
    }

    [Fact]
    [Rule("T01", "T02")]
    public void Client_FlushWithoutTidOrGrantOrWithAFloorAboveItself_IsInconsistent()
    {
        ClientMessage flush = Complete(nameof(ClientMessageKind.Flush));
        ClientMessage[] faulty =
        [
            flush with { Tid = default },
            flush with { Floor = default },
            flush with { Floor = flush.Tid.Next() },
            flush with { Cap = default },
            flush with { Version = -1 },
            flush with { Size = -1 },
            flush with { WantedSize = -1 },
            Complete(nameof(ClientMessageKind.Write)) with { Tid = flush.Tid },
            Complete(nameof(ClientMessageKind.Write)) with { Version = 1 },
            Complete(nameof(ClientMessageKind.Write)) with { IsUrgent = true },
            Complete(nameof(ClientMessageKind.Write)) with { IsClean = true },
        ];
        Assert.All(faulty, message => Assert.Equal(MessageFault.Inconsistent, Judge(message)));
        Assert.Equal(MessageFault.None, Judge(flush with { Floor = flush.Tid }));
    }

    [Fact]
    public void Client_NullOrNoBytes_AreValues()
    {
        ClientMessage message = Complete(nameof(ClientMessageKind.Write));
        message.Payload = Payload.OfReference(null);
        Assert.Equal(MessageFault.None, Judge(message));
        message.Payload = Payload.OfBytes(default);
        Assert.Equal(MessageFault.None, Judge(message));
    }

    [Theory]
    [MemberData(nameof(AuthorityKinds))]
    public void Authority_CompleteMessage_HasNoFault(string kind) => Assert.Equal(MessageFault.None, Judge(Said(kind)));

    [Theory]
    [InlineData(0)]
    [InlineData((int)AuthorityMessageKind.SessionEnded + 1)]
    [InlineData(255)]
    public void Authority_UnknownKind_IsAFault(int kind)
    {
        AuthorityMessage message = Said(nameof(AuthorityMessageKind.Grant));
        message.Kind = (AuthorityMessageKind)kind;

        Assert.Equal(MessageFault.UnknownKind, Judge(message));
    }

    [Theory]
    [MemberData(nameof(AuthorityKinds))]
    public void Authority_AnotherSession_IsAFault(string kind)
    {
        AuthorityMessage message = Said(kind);
        message.Session = new SessionId(8);

        // Also when its number would be a gap in this session: it is none of this session's numbers.
        Assert.Equal(MessageFault.OtherSession, Judge(message));
        message.Sequence = new MessageSeq(1);
        Assert.Equal(MessageFault.OtherSession, Judge(message));
    }

    [Theory]
    [MemberData(nameof(AuthorityKinds))]
    public void Authority_GapOrRepetition_IsAFaultOfWhatIsNumbered(string kind)
    {
        bool isNumbered = kind != nameof(AuthorityMessageKind.Renewed);
        foreach (ulong number in new ulong[] { 0, 1, TookIn.Value, TookIn.Value + 2 })
        {
            AuthorityMessage message = Said(kind);
            message.Sequence = new MessageSeq(number);
            MessageFault fault = number <= TookIn.Value ? MessageFault.Repeated : MessageFault.OutOfOrder;

            Assert.Equal(isNumbered ? fault : MessageFault.None, Judge(message));
        }
    }

    [Theory]
    [MemberData(nameof(AuthorityKinds))]
    public void Authority_NoObject_IsAFaultOfWhatIsAboutOne(string kind)
    {
        AuthorityMessage message = Said(kind);
        message.Inode = default;
        bool isAboutObject = kind is not (nameof(AuthorityMessageKind.Renewed) or nameof(AuthorityMessageKind.SessionEnded));

        Assert.Equal(isAboutObject ? MessageFault.NoSuchObject : MessageFault.None, Judge(message));
    }

    [Theory]
    [MemberData(nameof(AuthorityKinds))]
    public void Authority_UndefinedBits_AreAFault(string kind)
    {
        AuthorityMessage message = Said(kind);
        message.Caps |= Undefined;

        Assert.Equal(MessageFault.UndefinedBits, Judge(message));
    }

    private static MessageFault Judge(in ClientMessage message) => MessageRules.Judge(message, Session);

    private static MessageFault Judge(in AuthorityMessage message) => MessageRules.Judge(message, Session, TookIn);

    [Theory]
    [MemberData(nameof(ClientKinds))]
    public void Client_FieldThatTheKindHasNoUseFor_IsAFault(string kind)
    {
        bool settles = kind == nameof(ClientMessageKind.Settle);
        bool mayExpect = kind is nameof(ClientMessageKind.Write) or nameof(ClientMessageKind.Remove);
        Assert.Equal(settles, IsTaken(Complete(kind) with { Ownership = new Ownership(1, new Fence(2)), Settlement = Settlement.Completed }));
        Assert.Equal(mayExpect, IsTaken(Complete(kind) with { Precondition = Precondition.Exactly(3) }));
        Assert.False(IsTaken(Complete(kind) with { Precondition = Precondition.Exactly(-1) }));
        Assert.False(IsTaken(Complete(kind) with { TimeToLive = -1 }));
        Assert.False(IsTaken(Complete(kind) with { Settlement = Settlement.Unknown + 1 }));

        static bool IsTaken(in ClientMessage message) => Judge(message) == MessageFault.None;
    }

    [Theory]
    [InlineData((int)Settlement.Abandoned)]
    [InlineData((int)Settlement.Raised)]
    [InlineData((int)Settlement.Unknown)]
    public void Client_ValueOfAChangeThatWasNotMade_IsAFault(int settlement)
    {
        ClientMessage message = Complete(nameof(ClientMessageKind.Settle)) with { Settlement = (Settlement)settlement };

        Assert.Equal(MessageFault.Inconsistent, Judge(message));
        Assert.Equal(MessageFault.None, Judge(message with { Payload = default }));
    }

    private static ClientMessage Complete(string kind)
    {
        var message = new ClientMessage
        {
            Kind = Enum.Parse<ClientMessageKind>(kind),
            Session = Session,
            Inode = new InodeId(3),
            Caps = CapSet.Any,
            Wanted = CapSet.Any,
            Payload = Payload.OfReference("value"),
        };
        if (message.Kind == ClientMessageKind.Settle)
        {
            message.Ownership = new Ownership(1, new Fence(2));
            message.Settlement = Settlement.Completed;
        }

        if (message.Kind is ClientMessageKind.Flush or ClientMessageKind.Claim)
        {
            message.Cap = new CapId(5);
            message.Version = 9;
        }

        if (message.Kind == ClientMessageKind.Flush)
        {
            message.Tid = new FlushTid(4);
            message.Floor = new FlushTid(2);
        }

        return message;
    }

    private static AuthorityMessage Said(string kind) => new()
    {
        Kind = Enum.Parse<AuthorityMessageKind>(kind),
        Session = Session,
        Sequence = TookIn.Next(),
        Inode = new InodeId(3),
        Caps = CapSet.Any,
        Tid = new FlushTid(kind == nameof(AuthorityMessageKind.Flushed) ? 1u : 0),
    };
}
