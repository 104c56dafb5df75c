using System.Collections.Concurrent;
using System.Diagnostics;
using CacheEngine.Embedded;

namespace CacheEngine.Concurrency;

/// <summary>Links that are slow for a while and then silent, one node after the other.</summary>
internal sealed class FlakyLinks : LinkPolicy
{
    private readonly ConcurrentDictionary<string, long> _slow = new();
    private readonly ConcurrentDictionary<(LinkDirection Direction, string Node), bool> _silent = new();

    public override long Delay(LinkDirection direction, string node) =>
        Random.Shared.NextDouble() < DelayedShare ? Random.Shared.Next(1, 5)
        : direction == LinkDirection.ToNode ? _slow.GetValueOrDefault(node)
        : 0;

    /// <summary>The share of messages that take some milliseconds, so that they can be lost on the way.</summary>
    public double DelayedShare { get; init; }

    private readonly ConcurrentDictionary<string, bool> _dead = new();

    public override bool IsOpen(LinkDirection direction, string node) => !_silent.ContainsKey((direction, node)) && !_dead.ContainsKey(node);

    /// <summary>Silences a node for good.</summary>
    public void Kill(string node) => _dead[node] = true;

    /// <summary>Opens all links.</summary>
    public void Heal(EmbeddedAuthority authority)
    {
        _dead.Clear();
        authority.WakeLinks();
    }

    /// <summary>
    /// Slows what a node hears to most of a lease term, then keeps it from being heard: the answers to its last renewals are old when they arrive, and so
    /// are the revokes. Then, once it has recovered, cuts it off both ways with a fresh lease, the longest that it can have.
    /// </summary>
    public async Task DisturbAsync(EmbeddedAuthority authority, StressOptions options, long end)
    {
        for (int i = 0; Stopwatch.GetTimestamp() < end; i++)
        {
            string node = $"node{i % options.Nodes}";
            _slow[node] = (long)(0.6 * options.LeaseTerm.TotalMilliseconds);
            await Task.Delay(options.LeaseTerm * 2);
            await CutOffAsync(authority, node, options.LeaseTerm * 2, LinkDirection.ToAuthority);
            await Task.Delay(options.LeaseTerm);
            await CutOffAsync(authority, node, options.LeaseTerm * 2, LinkDirection.ToAuthority, LinkDirection.ToNode);
        }
    }

    private async Task CutOffAsync(EmbeddedAuthority authority, string node, TimeSpan time, params LinkDirection[] directions)
    {
        foreach (LinkDirection direction in directions)
        {
            _silent[(direction, node)] = true;
        }

        await Task.Delay(time);
        _silent.Clear();
        _slow.Clear();
        authority.WakeLinks();
    }
}
