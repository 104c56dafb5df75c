using System.Globalization;
using CacheEngine.Checking;

namespace CacheEngine.Simulation;

/// <summary>One client of one node: does one thing after the other, and writes down what it saw.</summary>
internal abstract class Client(Run run, CoherentCache<int, string> node, ClientLog log, Random random, TimeProvider time)
{
    protected Run Run => run;

    protected CoherentCache<int, string> Node => node;

    protected ClientLog Log => log;

    protected Random Random => random;

    protected TimeProvider Time => time;

    protected Scenario Scenario => run.Scenario;

    public async Task RunAsync()
    {
        while (!run.IsEnding && !node.Engine.IsDisposed)
        {
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(1 + (2000 * Scenario.ThinkMilliseconds))), time);
            run.Operations++;
            int key = random.Next(Scenario.Keys);
            try
            {
                await StepAsync(key);
            }
            catch (AuthorityUnavailableException exception)
            {
                // A read has no answer; a write was written down before it was sent.
                run.World.Mix(-1);
                Failed(key, exception);
            }
            catch (CapabilityLostException exception)
            {
                run.World.Mix(-4);
                Failed(key, exception);
            }
            catch (ObjectDisposedException) when (node.Engine.IsDisposed)
            {
                // The node leaves. A change that it had sent is written down as one that nobody heard of.
                run.World.Mix(-12);
            }
        }
    }

    /// <summary>What this client asks for its entries.</summary>
    protected virtual CoherentCacheEntryOptions? Options => null;

    protected abstract ValueTask StepAsync(int key);

    protected abstract ValueTask<string> MakeAsync(int key, CancellationToken token);

    /// <summary>What a read saw.</summary>
    protected abstract void Saw(int key, string? text, long version, long call, bool isAbsent = false);

    protected ValueTask TryGet(int key)
    {
        long call = run.World.NextStamp();
        if (node.TryGet(key, out string? value, out long version))
        {
            run.Hits++;
            Saw(key, value, version, call);
        }

        return default;
    }

    protected async ValueTask GetAsync(int key)
    {
        long call = run.World.NextStamp();
        Lookup<string> found = await node.GetAsync(key);
        if (found.Status != LookupStatus.Unknown)
        {
            Saw(key, found.Value, found.Version, call, found.Status == LookupStatus.Absent);
        }
    }

    protected async ValueTask LoadAsync(int key)
    {
        using CancellationTokenSource cancellation = Patience();
        long call = run.World.NextStamp();
        try
        {
            string value = await node.GetOrCreateAsync(key, this, static (key, client, token) => client.MakeAsync(key, token), Options, cancellation.Token);
            Saw(key, value, HistoryEvent.Unversioned, call);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            run.World.Mix(-2);
        }
        catch (FormatException)
        {
            // The factory failed on purpose.
            run.World.Mix(-3);
        }
    }

    /// <summary>Now and then a caller gives up after a while.</summary>
    protected CancellationTokenSource Patience(int oneIn = 20)
    {
        var cancellation = new CancellationTokenSource();
        if (random.Next(oneIn) == 0)
        {
            _ = CancelLaterAsync(cancellation, random.Next(50));
        }

        return cancellation;
    }

    /// <summary>Something failed that fails only when rights or messages are lost.</summary>
    protected void Failed(int key, Exception exception)
    {
        if (Scenario.IsFaultless)
        {
            run.Violate("failed without cause", key, exception.Message);
        }
    }

    protected static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    protected static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private async Task CancelLaterAsync(CancellationTokenSource cancellation, int milliseconds)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), time);
        try
        {
            cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // What it was for was faster.
        }
    }
}
