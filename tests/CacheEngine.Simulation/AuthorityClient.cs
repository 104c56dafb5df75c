using CacheEngine.Checking;

namespace CacheEngine.Simulation;

/// <summary>A client of values that live at the authority.</summary>
internal class AuthorityClient(Run run, CoherentCache<int, string> node, ClientLog log, Random random, TimeProvider time)
    : Client(run, node, log, random, time)
{
    protected override CoherentCacheEntryOptions? Options { get; } =
        run.Scenario.ExpirationMilliseconds == 0 ? null : new() { Expiration = TimeSpan.FromMilliseconds(run.Scenario.ExpirationMilliseconds) };

    protected override ValueTask StepAsync(int key) => Random.Next(20) switch
    {
        < 9 => TryGet(key),
        < 11 => GetAsync(key),
        < 14 => LoadAsync(key),
        14 => SetAsync(key),
        15 => UpdateAsync(key),
        16 => CountAsync(),
        17 => TryUpdateAsync(key),
        18 => RemoveAsync(key),
        _ => Random.Next(2) == 0 ? SetManyAsync() : RecallAsync(key),
    };

    protected override async ValueTask<string> MakeAsync(int key, CancellationToken token)
    {
        long start = Run.World.NextStamp();
        long made = Run.NextValue();
        if (Random.Next(2) == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(50)), Time, token);
        }

        if (Random.Next(10) == 0)
        {
            throw new FormatException("The factory fails now and then.");
        }

        Log.Load(key, made, start, Run.World.NextStamp());
        return Text(made);
    }

    protected override void Saw(int key, string? text, long version, long call, bool isAbsent = false)
    {
        if (text is null && !isAbsent)
        {
            // A hit on null is not the knowledge that there is nothing: nobody wrote null.
            Run.Violate("never written", key, $"null with version {version} at {call}");
        }

        long value = text is null ? HistoryEvent.Absent : Number(text);
        Log.Read(key, value, version, call, Run.World.NextStamp());
        Run.World.Mix(value);
    }

    protected ValueTask SetAsync(int key)
    {
        long value = Run.NextValue();
        return WriteAsync(key, value, token => Node.SetAsync(key, Text(value), Options, cancellationToken: token));
    }

    protected ValueTask RemoveAsync(int key) => WriteAsync(key, HistoryEvent.Absent, token => Node.RemoveAsync(key, token));

    protected async ValueTask RecallAsync(int key) => _ = await Node.RecallAsync(key);

    protected async ValueTask SetManyAsync()
    {
        var entries = new KeyValuePair<int, string>[Scenario.Keys];
        long call = Run.World.NextStamp();
        for (int key = 0; key < entries.Length; key++)
        {
            entries[key] = new(key, Text(Run.NextValue()));
        }

        try
        {
            long[] versions = await Node.SetManyAsync(entries, Options);
            for (int key = 0; key < entries.Length; key++)
            {
                Log.Write(key, Number(entries[key].Value), versions[key], call, Run.World.NextStamp());
            }
        }
        catch (Exception exception) when (exception is AuthorityUnavailableException or ObjectDisposedException)
        {
            Failed(0, exception);
            for (int key = 0; key < entries.Length; key++)
            {
                Log.Write(key, Number(entries[key].Value), HistoryEvent.Unversioned, call, HistoryEvent.Pending);
            }
        }
    }

    /// <summary>A write that expects the version seen last.</summary>
    protected async ValueTask TryUpdateAsync(int key)
    {
        Lookup<string> found = await Node.GetAsync(key);
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(10)), Time);
        long value = Run.NextValue();
        long? basedOn = found.IsHit ? Number(found.Value) : null;
        long version = HistoryEvent.Unversioned;
        await WriteAsync(
            key,
            value,
            async token =>
            {
                UpdateResult result = await Node.TryUpdateAsync(key, found.Version, Text(value), Options, token);
                version = result.Version;
                return result.IsUpdated ? version : HistoryEvent.Unversioned;
            },
            () => basedOn);
        if (version != HistoryEvent.Unversioned && version < found.Version)
        {
            Run.Violate("went back", key, $"version {version} stands after {found.Version} was seen");
        }
    }

    protected async ValueTask UpdateAsync(int key)
    {
        long value = Run.NextValue();
        long? basedOn = null;
        await WriteAsync(
            key,
            value,
            async token =>
            {
                Lookup<string> result = await Node.UpdateAsync(
                    key,
                    value,
                    (old, made) =>
                    {
                        basedOn = Number(old);
                        return Text(made);
                    },
                    Options,
                    token);
                return result.IsHit ? result.Version : HistoryEvent.Unversioned;
            },
            () => basedOn);
    }

    /// <summary>One more on the counter that all clients of all nodes share.</summary>
    protected async ValueTask CountAsync()
    {
        using CancellationTokenSource cancellation = Patience();
        bool isComputed = false;
        try
        {
            Lookup<string> result = await Node.UpdateAsync(
                Scenario.Keys,
                1,
                (old, one) =>
                {
                    isComputed = true;
                    return Text(Number(old) + one);
                },
                options: null,
                cancellation.Token);
            Run.Counter.Acknowledge(result);
        }
        catch (Exception exception) when (exception is WriteCanceledException or AuthorityUnavailableException { IsOutcomeUnknown: true })
        {
            Run.Counter.Unknown++;
            FailedUnlessCanceled(Scenario.Keys, exception);
            if (!isComputed)
            {
                Run.Violate("outcome", Scenario.Keys, "an update that was not computed is said to be perhaps applied");
            }
        }
        catch (OperationCanceledException)
        {
            Run.World.Mix(-5);
        }
    }

    private async ValueTask WriteAsync(int key, long value, Func<CancellationToken, ValueTask<long>> write, Func<long?>? basedOn = null)
    {
        using CancellationTokenSource cancellation = Patience();
        long call = Run.World.NextStamp();
        try
        {
            long version = await write(cancellation.Token);
            if (version != HistoryEvent.Unversioned && basedOn?.Invoke() is { } old)
            {
                Log.Update(key, value, version, old, call, Run.World.NextStamp());
            }
            else if (version != HistoryEvent.Unversioned)
            {
                Log.Write(key, value, version, call, Run.World.NextStamp());
            }

            Run.World.Mix(version);
        }
        catch (Exception exception) when (exception is WriteCanceledException or AuthorityUnavailableException { IsOutcomeUnknown: true })
        {
            Log.Write(key, value, HistoryEvent.Unversioned, call, HistoryEvent.Pending);
            Run.World.Mix(-6);
            FailedUnlessCanceled(key, exception);
        }
        catch (OperationCanceledException)
        {
            // Said to be withdrawn: whoever sees the value finds that nobody wrote it.
            Run.World.Mix(-7);
        }
    }

    protected void FailedUnlessCanceled(int key, Exception exception)
    {
        if (exception is not WriteCanceledException)
        {
            Failed(key, exception);
        }
    }
}
