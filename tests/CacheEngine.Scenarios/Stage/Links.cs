using CacheEngine.Embedded;
using CacheEngine.Protocol;
using CacheEngine.Scenarios.Print;
using CacheEngine.Sessions;

namespace CacheEngine.Scenarios.Stage;

/// <summary>
/// The links of all nodes: held, cut, delayed, repeating or losing as the script says; and the place where messages are printed.
/// </summary>
/// <remarks>A message is printed when it is sent, one to a node when it arrives. One to the authority that does not arrive at once is marked with dots, and
/// printed again when it does.</remarks>
internal sealed class Links(Trace trace, MessageText text, Setup setup) : LinkPolicy
{
    private readonly HashSet<(LinkDirection Direction, string Node)> _closed = [];
    private readonly Dictionary<(LinkDirection Direction, string Node), int> _passes = [];
    private readonly Dictionary<(LinkDirection Direction, string Node), long> _delays = [];
    private readonly Dictionary<string, int> _copies = [];
    private readonly HashSet<(SessionId Session, MessageSeq Sequence, RenewSeq Renew)> _underWay = [];
    private readonly Dictionary<string, (int Asked, int Answered)> _renewals = [];

    public override long Delay(LinkDirection direction, string node) => _delays.GetValueOrDefault((direction, node), setup.DelayMilliseconds);

    public override int Copies(LinkDirection direction, string node) => _copies.GetValueOrDefault(node, 1);

    public override bool IsOpen(LinkDirection direction, string node) =>
        !_closed.Contains((direction, node)) || _passes.GetValueOrDefault((direction, node)) > 0;

    public void Close(LinkDirection direction, string node)
    {
        _closed.Add((direction, node));
        _passes.Remove((direction, node));
    }

    public void Open(LinkDirection direction, string node) => _closed.Remove((direction, node));

    /// <summary>Lets some more messages through a closed link.</summary>
    public void Pass(LinkDirection direction, string node, int messages) => _passes[(direction, node)] = messages;

    public void SetDelay(LinkDirection direction, string node, long milliseconds) => _delays[(direction, node)] = milliseconds;

    public void SetCopies(string node, int copies) => _copies[node] = copies;

    public override void Posted(string node, in ClientMessage message)
    {
        if (IsHidden(message.Kind == ClientMessageKind.Renew))
        {
            Count(node, asked: 1, answered: 0);
            return;
        }

        int copies = Copies(LinkDirection.ToAuthority, node);
        bool isStraight = !_closed.Contains((LinkDirection.ToAuthority, node)) && Delay(LinkDirection.ToAuthority, node) == 0;
        string fate = copies == 0 ? " lost" : (copies == 1 ? string.Empty : $" {copies} times") + (isStraight ? string.Empty : " ...");
        trace.Add(text.Of(node, message) + fate);
        if (!isStraight)
        {
            _underWay.Add((message.Session, message.Sequence, message.Renew));
        }
    }

    public override void TakenIn(string node, in ClientMessage message)
    {
        bool isRenewal = message.Kind == ClientMessageKind.Renew;
        Spend(LinkDirection.ToAuthority, node, isRenewal);
        if (!IsHidden(isRenewal) && _underWay.Contains((message.Session, message.Sequence, message.Renew)))
        {
            trace.Add(text.Of(node, message, hasArrived: true));
        }
    }

    public override void Received(string node, in AuthorityMessage message)
    {
        bool isRenewal = message.Kind == AuthorityMessageKind.Renewed;
        Spend(LinkDirection.ToNode, node, isRenewal);
        if (IsHidden(isRenewal))
        {
            Count(node, asked: 0, answered: 1);
            return;
        }

        trace.Add(text.Of(node, message));
    }

    /// <summary>Prints in one line a node what its renewals came to.</summary>
    public void TellRenewals()
    {
        foreach ((string node, (int asked, int answered)) in _renewals.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            trace.Add(
                asked == answered ? $"{node} renewed {asked}x"
                : asked == 0 ? $"{node} heard {answered}x that it is renewed"
                : $"{node} asked {asked}x to renew, heard {answered}x");
        }

        _renewals.Clear();
    }

    private bool IsHidden(bool isRenewal) => isRenewal && !setup.ShowsRenewals;

    private void Count(string node, int asked, int answered)
    {
        (int askedBefore, int answeredBefore) = _renewals.GetValueOrDefault(node);
        _renewals[node] = (askedBefore + asked, answeredBefore + answered);
    }

    /// <summary>A message has gone through a closed link. Renewals, in a lane of their own, do not count.</summary>
    private void Spend(LinkDirection direction, string node, bool isRenewal)
    {
        if (!isRenewal && _passes.TryGetValue((direction, node), out int left))
        {
            _passes[(direction, node)] = left - 1;
        }
    }
}
