using CacheEngine.Scenarios.Print;
using CacheEngine.Scenarios.Stage;
using Cache = CacheEngine.CoherentCache<string, string>;

namespace CacheEngine.Scenarios.Script;

/// <summary>The commands that stand for the application: what it calls, and how the outcome is printed.</summary>
internal static class Calls
{
    public static readonly (string Form, Action<Play, Words> Do)[] Table =
    [
        Row("{node} gets {key}", static async (play, words, node, token) => Of(play, words, await node.GetAsync(words.Key, token))),
        Row("{node} tries {key}", static (play, words, node, _) => ValueTask.FromResult(
            node.TryGet(words.Key, out string? value, out long version) ? $"\"{value}\" {Version(play, words, version)}" : "nothing")),
        Row("{node} loads {key} = {value}(?: after {time})?", static async (play, words, node, token) =>
        {
            string value = await node.GetOrCreateAsync(words.Key, (_, cancellation) => MakeAsync(play, words, cancellation), options: null, token);
            return $"\"{value}\"";
        }),
        Row("{node} sets {key} = {value}", static async (play, words, node, token) =>
            Version(play, words, await node.SetAsync(words.Key, words.Value, cancellationToken: token))),
        Row("{node} sets {key} = {value} back", static async (play, words, node, token) =>
            Version(play, words, await node.SetAsync(words.Key, words.Value, mode: WriteMode.Back, cancellationToken: token))),
        Row("{node} sets {key} = {value} back for {time}", static async (play, words, node, token) =>
        {
            var options = new CoherentCacheEntryOptions { Expiration = TimeSpan.FromMilliseconds(words.Milliseconds) };
            return Version(play, words, await node.SetAsync(words.Key, words.Value, options, WriteMode.Back, token));
        }),
        Row("{node} sets {key} = {value} back {count} times", static async (play, words, node, token) =>
        {
            long version = 0;
            for (int i = 1; i <= words.Count; i++)
            {
                version = await node.SetAsync(words.Key, $"{words.Value}{i}", mode: WriteMode.Back, cancellationToken: token);
            }

            return Version(play, words, version);
        }),
        Row("{node} sets {key} = a value of {count} back", static async (play, words, node, token) =>
            Version(play, words, await node.SetAsync(words.Key, new string('a', words.Count), mode: WriteMode.Back, cancellationToken: token))),
        Row("{node} flushes all", static async (_, _, node, token) =>
        {
            await node.FlushAsync(token);
            return "flushed";
        }),
        Row("{node} flushes {key}", static async (_, words, node, token) =>
        {
            await node.FlushAsync(words.Key, token);
            return "flushed";
        }),
        Row("{node} sets {key} = {value} for {time}", static async (play, words, node, token) =>
        {
            var options = new CoherentCacheEntryOptions { Expiration = TimeSpan.FromMilliseconds(words.Milliseconds) };
            return Version(play, words, await node.SetAsync(words.Key, words.Value, options, cancellationToken: token));
        }),
        Row("{node} sets {key} = {value} if {version}", static async (play, words, node, token) =>
        {
            long expected = play.Names.Version(words.Key, words.Version);
            UpdateResult result = await node.TryUpdateAsync(words.Key, expected, words.Value, options: null, token);
            return $"{(result.IsUpdated ? string.Empty : "not updated, ")}{Version(play, words, result.Version)}";
        }),
        Row("{node} removes {key}", static async (play, words, node, token) => Version(play, words, await node.RemoveAsync(words.Key, token))),
        Row("{node} recalls {key}", static async (play, words, node, token) => Version(play, words, await node.RecallAsync(words.Key, token))),
        Row(@"{node} updates {key} \+ {value}", static async (play, words, node, token) => Of(
            play, words, await node.UpdateAsync(words.Key, words.Value, static (old, suffix) => $"{old}+{suffix}", options: null, token))),

        // Reads and writes at the source.
        Row("{node} loads {key}", static async (play, words, node, token) =>
            $"\"{await node.GetOrCreateAsync(words.Key, (_, _) => ReadAsync(play, words), options: null, token)}\""),
        Row("{node} begins {key}", static async (play, words, node, token) =>
        {
            CacheWrite<string, string> write = await node.BeginWriteAsync(words.Key, token);
            play.Writes[(words.Node, words.Key)] = write;
            return play.Names.Fence(words.Key, write.Fence);
        }),
        Row("{node} writes {key} = {value}", static (play, words, _, _) =>
        {
            Fence fence = play.Writes[(words.Node, words.Key)].Fence;
            bool isAccepted = play.Source.TryWrite(words.Key, words.Value, fence);
            return ValueTask.FromResult(isAccepted ? "accepted" : $"refused, {play.Names.Fence(words.Key, fence)} is outdone");
        }),
        Row("{node} completes {key}", static (play, words, _, _) => EndAsync(play, words, write => write.Complete(play.Source.Read(words.Key)))),
        Row("{node} abandons {key}", static (play, words, _, _) => EndAsync(play, words, static write => write.Abandon())),
        Row("{node} leaves {key}", static (play, words, _, _) => EndAsync(play, words, static _ => { })),
        ("cancel {call}", static (play, words) => play.Cancel(words.Value)),
    ];

    private static (string Form, Action<Play, Words> Do) Row(string form, Func<Play, Words, Cache, CancellationToken, ValueTask<string>> call)
    {
        return (form, Do);

        void Do(Play play, Words words)
        {
            Cache node = play.Node(words.Node);
            play.Start(words.Text, token => call(play, words, node, token));
        }
    }

    /// <summary>The application's factory: takes its time, if the command says so.</summary>
    private static async ValueTask<string> MakeAsync(Play play, Words words, CancellationToken cancellation)
    {
        play.Trace.Add($"{words.Node} begins to make {words.Key}");
        if (words.HasTime)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(words.Milliseconds), play.World.Time, cancellation);
        }

        play.Trace.Add($"{words.Node} has made {words.Key}");
        return words.Value;
    }

    private static ValueTask<string> ReadAsync(Play play, Words words)
    {
        string value = play.Source.Read(words.Key);
        play.Trace.Add($"{words.Node} reads {words.Key} at the source: \"{value}\"");
        return ValueTask.FromResult(value);
    }

    private static async ValueTask<string> EndAsync(Play play, Words words, Action<CacheWrite<string, string>> say)
    {
        CacheWrite<string, string> write = play.Writes[(words.Node, words.Key)];
        try
        {
            say(write);
        }
        finally
        {
            await write.DisposeAsync();
        }

        return "settled";
    }

    private static string Of(Play play, Words words, in Lookup<string> found) => found.Status switch
    {
        LookupStatus.Hit => $"{MessageText.Quote(found.Value)} {Version(play, words, found.Version)}",
        LookupStatus.Absent => $"absent {Version(play, words, found.Version)}",
        _ => "unknown",
    };

    private static string Version(Play play, Words words, long version) => play.Names.Version(words.Key, version);
}
