using System.Globalization;
using CacheEngine.Caps;
using CacheEngine.Inodes;
using CacheEngine.Sessions;

namespace CacheEngine.Scenarios.Print;

/// <summary>
/// Short names for numbers that are long, or that depend on what else there is: each is numbered when it is first told.
/// </summary>
internal sealed class Names(KeyIdentity<string> identity)
{
    private readonly Dictionary<ulong, string> _keys = [];
    private readonly Dictionary<InodeId, string> _keysById = [];
    private readonly Dictionary<(string Kind, string Scope), List<long>> _numbers = [];

    /// <summary>The keys that the script has named, in that order.</summary>
    public IEnumerable<string> Keys => _keys.Values;

    public void AddKey(string key) => _keys.TryAdd(identity.Hash(key), key);

    /// <summary>The key that a message is about, or null; what it says of the object's id is remembered.</summary>
    public string? Key(ulong cookie, InodeId id)
    {
        string? key = _keys.GetValueOrDefault(cookie);
        if (key is not null && id.IsKnown)
        {
            _keysById[id] = key;
        }

        return key;
    }

    public string? Key(InodeId id) => _keysById.GetValueOrDefault(id);

    public string Version(string? key, long version) => version == 0 ? "v0" : Number("v", $"{key}", version);

    /// <summary>The version that a script means by its short name.</summary>
    public long Version(string key, string name) =>
        name == "v0" ? 0 : _numbers[("v", key)][int.Parse(name.AsSpan(1), CultureInfo.InvariantCulture) - 1];

    public string Fence(string? key, Fence fence) => Number("f", $"{key}", fence.Value);

    public string Session(SessionId session) => Number("s", string.Empty, session.Value);

    public string Cap(CapId cap) => Number("c", string.Empty, (long)cap.Value);

    /// <summary>What was lost, and why.</summary>
    public string Loss(LossReport report)
    {
        string key = $"{report.Key}";
        long writes = report.LastVersion - report.FirstVersion + 1;
        string how = writes == 1 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $" and the {writes - 1} before it");
        return $"{key} {Version(key, report.LastVersion)}{how} (t{report.FlushTid}{{{report.Rights}}}): {report.Reason}";
    }

    public string Request(string node, long request) => Number("#", node, request);

    private string Number(string kind, string scope, long value)
    {
        if (!_numbers.TryGetValue((kind, scope), out List<long>? known))
        {
            known = [];
            _numbers[(kind, scope)] = known;
        }

        int at = known.IndexOf(value);
        if (at < 0)
        {
            at = known.Count;
            known.Add(value);
        }

        // What grows and is told late is marked: the short name alone would say that it is the newer one.
        int newer = kind is "v" or "f" ? known.FindIndex(0, at, other => other > value) : -1;
        string name = string.Create(CultureInfo.InvariantCulture, $"{kind}{at + 1}");
        return newer < 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}<{kind}{newer + 1}");
    }
}
