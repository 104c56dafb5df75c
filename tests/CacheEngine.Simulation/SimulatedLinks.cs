using CacheEngine.Embedded;

namespace CacheEngine.Simulation;

/// <summary>The network of a run: delays drawn per message, and directions of links that fall silent for a while.</summary>
internal sealed class SimulatedLinks(World world, int typicalDelayMilliseconds, double slowShare, int slowDelayMilliseconds) : LinkPolicy
{
    private readonly HashSet<(LinkDirection Direction, string Node)> _silent = [];

    public bool IsHealed { get; private set; }

    public override long Delay(LinkDirection direction, string node)
    {
        bool isSlow = !IsHealed && world.Random.NextDouble() < slowShare;
        return world.Random.Next(1 + (isSlow ? slowDelayMilliseconds : typicalDelayMilliseconds));
    }

    public override bool IsOpen(LinkDirection direction, string node) => !_silent.Contains((direction, node));

    public void Silence(LinkDirection direction, string node)
    {
        if (!IsHealed)
        {
            _silent.Add((direction, node));
        }
    }

    public void Restore(LinkDirection direction, string node) => _silent.Remove((direction, node));

    public void Heal()
    {
        IsHealed = true;
        _silent.Clear();
    }
}
