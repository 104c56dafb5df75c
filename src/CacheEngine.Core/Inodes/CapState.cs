using CacheEngine.Caps;
using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>What one authority lets this node do with one object, and what this node has not yet given back.</summary>
internal struct CapState
{
    /// <summary>The identity of the grant; zero before the first.</summary>
    public CapId Id;

    /// <summary>The bits that the authority lets us use.</summary>
    public CapSet Issued;

    /// <summary>The bits that we have not yet told the authority we stopped using; always a superset of <see cref="Issued"/>.</summary>
    public CapSet Implemented;

    /// <summary>The last authority message applied.</summary>
    public CapSeq Seq;

    /// <summary>The last authority message that issued rights; a revoke does not.</summary>
    public IssueSeq IssueSeq;

    /// <summary>The session generation of the last grant; of an older one nothing is valid.</summary>
    public SessionGeneration Generation;

    /// <summary>The bits that are being taken back and still used.</summary>
    public readonly CapSet Revoking => Implemented - Issued;

    /// <summary>The bits usable in this generation.</summary>
    public readonly CapSet IssuedIn(SessionGeneration generation) => Generation == generation ? Issued : CapSet.None;

    public override readonly string ToString() => $"{{{Issued}/{Implemented}, seq {Seq.Value}/{IssueSeq.Value}, id {Id.Value}, generation {Generation.Value}}}";
}
