using CacheEngine.Checking;

namespace CacheEngine.Simulation;

/// <summary>A client of values that live at the application's own source.</summary>
internal sealed class SourceClient(Run run, CoherentCache<int, string> node, ClientLog log, Random random, TimeProvider time)
    : Client(run, node, log, random, time)
{
    protected override ValueTask StepAsync(int key) => Random.Next(10) switch
    {
        < 5 => TryGet(key),
        < 6 => GetAsync(key),
        < 8 => LoadAsync(key),
        _ when Scenario.Source == SourceKind.Told => ChangeAndTellAsync(key),
        _ => WriteAsync(key),
    };

    protected override async ValueTask<string> MakeAsync(int key, CancellationToken token)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(5)), Time, token);
        long seen = Run.Source.Read(key);
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(30)), Time, token);
        return Text(seen);
    }

    protected override void Saw(int key, string? text, long version, long call, bool isAbsent = false)
    {
        long value = text is null ? 0 : Number(text);

        // The authority's versions number changes of its own; the truth here is the row, whose value counts: what nobody wrote starts at zero.
        if (value > 0)
        {
            Log.Read(key, value, value, call, Run.World.NextStamp());
        }

        Run.World.Mix(value);
    }

    /// <summary>Changes the row, then tells the cluster.</summary>
    private async ValueTask ChangeAndTellAsync(int key)
    {
        long call = Run.World.NextStamp();
        _ = Run.Source.TryChange(key, default, out long value);
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(5)), Time);
        try
        {
            await Node.RemoveAsync(key);
            Log.Write(key, value, value, call, Run.World.NextStamp());
        }
        catch (AuthorityUnavailableException)
        {
            Log.Write(key, value, value, call, HistoryEvent.Pending);
        }
    }

    /// <summary>Changes the row under the exclusive right; the change may stall inside the source.</summary>
    private async ValueTask WriteAsync(int key)
    {
        using CancellationTokenSource cancellation = Patience();
        long call = Run.World.NextStamp();
        long value = 0;
        try
        {
            await using CacheWrite<int, string> write = await Node.BeginWriteAsync(key, cancellation.Token);
            if (Random.Next(10) == 0)
            {
                write.Abandon();
                return;
            }

            bool isChanged = await ChangeAsync(key, write.Fence, changed => value = changed);
            if (isChanged && Random.Next(10) != 0)
            {
                write.Complete(Text(value));
            }
            else if (isChanged)
            {
                // A writer that does not say what it did.
                Log.Write(key, value, value, call, HistoryEvent.Pending);
                value = 0;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or FormatException)
        {
            // Gave up waiting for the right, or the fence could not be raised.
            Run.World.Mix(-5);
        }
        catch (Exception exception) when (exception is CapabilityLostException or AuthorityUnavailableException)
        {
            Run.World.Mix(-6);
            if (value > 0)
            {
                Log.Write(key, value, value, call, HistoryEvent.Pending);
                value = 0;
            }
        }

        if (value > 0)
        {
            Log.Write(key, value, value, call, Run.World.NextStamp());
        }
    }

    /// <summary>The row changes at some moment within the time that a write may stall.</summary>
    private async ValueTask<bool> ChangeAsync(int key, Fence fence, Action<long> changed)
    {
        int stall = Random.Next(6) == 0 ? Random.Next(Scenario.StallMilliseconds) : Random.Next(5);
        await Task.Delay(TimeSpan.FromMilliseconds(stall), Time);
        bool isChanged = Run.Source.TryChange(key, fence, out long value);
        changed(value);
        return isChanged;
    }
}
