using CacheEngine.Checking;

namespace CacheEngine.Simulation;

/// <summary>A client of values that live at the authority, most of whose writes its node keeps back. It comes back to the same key, so that its node has it alone for a while.</summary>
internal sealed class WriteBackClient(
    Run run, CoherentCache<int, string> node, NodeWrites writes, ClientLog log, Random random, TimeProvider time)
    : AuthorityClient(run, node, log, random, time)
{
    protected override ValueTask StepAsync(int key)
    {
        key = Random.Next(4) == 0 ? key : writes.Number % Scenario.Keys;
        return Random.Next(24) switch
        {
            < 5 => TryGet(key),
            < 6 => GetAsync(key),
            < 7 => LoadAsync(key),
            < 15 => BufferSomeAsync(key),
            < 18 => FlushAsync(key),
            18 => FlushAllAsync(),
            19 => SetAsync(key),
            20 => UpdateAsync(key),
            21 => CountAsync(),
            22 => TryUpdateAsync(key),
            _ => Random.Next(3) switch { 0 => RemoveAsync(key), 1 => SetManyAsync(), _ => RecallAsync(key) },
        };
    }

    private async ValueTask BufferSomeAsync(int key)
    {
        for (int left = Random.Next(1, 5); left > 0; left--)
        {
            await BufferAsync(key);
            if (Random.Next(3) == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(20)), Time);
            }
        }
    }

    /// <summary>A write that is perhaps kept back. If it went through, it is durable by now; only a flush is taken as proof.</summary>
    private async ValueTask BufferAsync(int key)
    {
        long value = Run.NextValue();
        using CancellationTokenSource cancellation = Patience();
        long call = Run.World.NextStamp();
        try
        {
            long version = await Node.SetAsync(key, Text(value), Options, WriteMode.Back, cancellation.Token);
            Log.Buffer(key, value, version, call, Run.World.NextStamp());
            writes.Returned(key, version);
            Run.Buffered++;
            Run.World.Mix(version);
        }
        catch (Exception exception) when (exception is WriteCanceledException or AuthorityUnavailableException { IsOutcomeUnknown: true })
        {
            Log.Write(key, value, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
            Run.World.Mix(-8);
            FailedUnlessCanceled(key, exception);
        }
        catch (OperationCanceledException)
        {
            Run.World.Mix(-9);
        }
    }

    private ValueTask FlushAsync(int key) => FlushAsync([key], token => Node.FlushAsync(key, token));

    private ValueTask FlushAllAsync() => FlushAsync([.. Enumerable.Range(0, Scenario.Keys)], Node.FlushAsync);

    private async ValueTask FlushAsync(int[] keys, Func<CancellationToken, ValueTask> flush)
    {
        using CancellationTokenSource cancellation = Patience(oneIn: 5);
        long[] newest = Array.ConvertAll(keys, writes.Newest);
        int losses = writes.Losses;
        long call = Run.World.NextStamp();
        try
        {
            await flush(cancellation.Token);
            for (int i = 0; i < keys.Length; i++)
            {
                if (newest[i] != HistoryEvent.Unversioned)
                {
                    Log.Flushed(keys[i], newest[i], call, Run.World.NextStamp());
                }
            }

            Run.World.Mix(-10);
        }
        catch (BufferedWritesLostException exception)
        {
            writes.Threw(exception, losses);
            Failed(keys[0], exception);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Run.World.Mix(-11);
        }
    }
}
