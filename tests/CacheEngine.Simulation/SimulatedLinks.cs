using CacheEngine.Embedded;
using CacheEngine.Protocol;

namespace CacheEngine.Simulation;

/// <summary>The network of a run: delays drawn per message, and directions of links that fall silent for a while.</summary>
internal sealed class SimulatedLinks(World world, int typicalDelayMilliseconds, double slowShare, int slowDelayMilliseconds, double repeatedShare) : LinkPolicy
{
    private readonly HashSet<(LinkDirection Direction, string Node)> _silent = [];

    private readonly HashSet<string> _dead = [];

    public bool IsHealed { get; private set; }

    public MessageTap? Tap { get; set; }

    public override long Delay(LinkDirection direction, string node)
    {
        bool isSlow = !IsHealed && world.Random.NextDouble() < slowShare;
        return world.Random.Next(1 + (isSlow ? slowDelayMilliseconds : typicalDelayMilliseconds));
    }

    public override int Copies(LinkDirection direction, string node) =>
        repeatedShare > 0 && !IsHealed && world.Random.NextDouble() < repeatedShare ? 2 : 1;

    public override void Posted(string node, in ClientMessage message) => Tap?.Posted(node, message);

    public override void TakenIn(string node, in ClientMessage message) => Tap?.TakenIn(node, message);

    public override void Received(string node, in AuthorityMessage message) => Tap?.Received(node, message);

    public override bool IsOpen(LinkDirection direction, string node) => !_silent.Contains((direction, node));

    public void Silence(LinkDirection direction, string node)
    {
        if (!IsHealed)
        {
            _silent.Add((direction, node));
        }
    }

    /// <summary>Silences both directions of a node's links until everything is healed.</summary>
    public void Kill(string node)
    {
        Silence(LinkDirection.ToNode, node);
        Silence(LinkDirection.ToAuthority, node);
        _dead.Add(node);
    }

    public void Restore(LinkDirection direction, string node) => _ = !_dead.Contains(node) && _silent.Remove((direction, node));

    public void Heal()
    {
        IsHealed = true;
        _dead.Clear();
        _silent.Clear();
    }
}
