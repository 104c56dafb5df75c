using System.Collections.Concurrent;
using CacheEngine.Embedded;

namespace CacheEngine.Tests.Coherence;

/// <summary>Links that a test cuts and restores, direction by direction.</summary>
internal sealed class TestLinks : LinkPolicy
{
    private readonly ConcurrentDictionary<(LinkDirection Direction, string Node), bool> _silent = new();
    private readonly ConcurrentDictionary<LinkDirection, long> _delays = new();
    private int _copies = 1;

    public override long Delay(LinkDirection direction, string node) => _delays.GetValueOrDefault(direction);

    public override int Copies(LinkDirection direction, string node) => Volatile.Read(ref _copies);

    public override bool IsOpen(LinkDirection direction, string node) => !_silent.ContainsKey((direction, node));

    public void SetCopies(int copies) => Volatile.Write(ref _copies, copies);

    public void SetDelay(LinkDirection direction, long milliseconds) => _delays[direction] = milliseconds;

    public void Cut(string node)
    {
        Cut(LinkDirection.ToNode, node);
        Cut(LinkDirection.ToAuthority, node);
    }

    public void Cut(LinkDirection direction, string node) => _silent[(direction, node)] = true;

    public void Restore(EmbeddedAuthority authority)
    {
        _silent.Clear();
        authority.WakeLinks();
    }
}
