using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Arbitration;

/// <summary>The authority's record of what one session holds on one object.</summary>
internal struct HolderState
{
    /// <summary>Who holds.</summary>
    public SessionId Session;

    /// <summary>Whose session it is: an engine may have its grants again under its next session.</summary>
    public EngineId Engine;

    /// <summary>The identity of the grant.</summary>
    public CapId Cap;

    /// <summary>The bits that the session may use.</summary>
    public CapSet Issued;

    /// <summary>The bits that the session has not yet given back; a superset of <see cref="Issued"/>.</summary>
    public CapSet Implemented;

    /// <summary>The bits that the session said it wants.</summary>
    public CapSet Wanted;

    /// <summary>The last message about this cap.</summary>
    public CapSeq Seq;

    /// <summary>The last message that issued rights; a revoke does not.</summary>
    public IssueSeq IssueSeq;

    /// <summary>The session message that carried the unanswered revoke, and when it was sent. Meaningful while bits are being revoked.</summary>
    public MessageSeq RevokeMessage;

    public long RevokeSentAt;

    public readonly CapSet Revoking => Implemented - Issued;

    /// <summary>Takes in the holder's statement that at <paramref name="answered"/> it retained only these bits.</summary>
    /// <returns>True when bits were given back. An older statement than the last issue speaks of rights given since, and changes nothing.</returns>
    public bool Answer(CapSeq answered, CapSet retained)
    {
        if (IssueSeq.IsAfter(answered) || answered > Seq)
        {
            return false;
        }

        CapSet before = Implemented;
        Implemented &= retained;
        Issued &= retained;
        return Implemented != before;
    }

    public override readonly string ToString() => $"s{Session.Value} {{{Issued}/{Implemented}, seq {Seq.Value}/{IssueSeq.Value}, id {Cap.Value}}}";
}
