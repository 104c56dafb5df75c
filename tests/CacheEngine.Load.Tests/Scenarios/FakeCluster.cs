using System.Collections.Concurrent;
using CacheEngine.Load.Caches;

namespace CacheEngine.Load.Tests.Scenarios;

/// <summary>Nodes without a network, coherent or not.</summary>
/// <param name="nodes">How many.</param>
/// <param name="keepsCopies">Whether a node keeps what it has seen and never hears of another's write, as a cache with a time limit does.</param>
internal sealed class FakeCluster(int nodes, bool keepsCopies) : ICacheCluster
{
    private readonly ConcurrentDictionary<string, Sighting> _truth = new();
    private long _version;

    public IReadOnlyList<ICacheNode> Nodes => field ??= [.. Enumerable.Range(0, nodes).Select(_ => new FakeNode(this))];

    public long Revokes => 0;

    public long Questions => 0;

    public long RefusedMessages => 0;

    private bool KeepsCopies => keepsCopies;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class FakeNode(FakeCluster cluster) : ICacheNode
    {
        private readonly ConcurrentDictionary<string, Sighting> _seen = cluster.KeepsCopies ? new() : cluster._truth;

        public bool TryGet(string key, out Sighting seen) => _seen.TryGetValue(key, out seen);

        public ValueTask<Sighting> GetAsync(string key)
        {
            if (!_seen.TryGetValue(key, out Sighting seen) && cluster._truth.TryGetValue(key, out seen))
            {
                _seen[key] = seen;
            }

            return ValueTask.FromResult(seen);
        }

        public async ValueTask<StampedValue> GetOrCreateAsync(string key, Func<ValueTask<StampedValue>> factory)
        {
            if ((await GetAsync(key)).Value is { } value)
            {
                return value;
            }

            value = await factory();
            await SetAsync(key, value);
            return value;
        }

        public ValueTask<long> SetAsync(string key, StampedValue value)
        {
            var written = new Sighting(value, Interlocked.Increment(ref cluster._version));
            cluster._truth[key] = written;
            _seen[key] = written;
            return ValueTask.FromResult(written.Version);
        }
    }
}
