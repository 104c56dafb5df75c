using System.Reflection;
using System.Text;
using CacheEngine.Arbitration;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Scenarios.Print;

/// <summary>
/// A message in one line: its kind, its key, and every field that differs from the default. A new kind or field of a message needs nothing here.
/// </summary>
internal sealed class MessageText(Names names, bool showsNumbers, bool showsSizes)
{
    public string Of(string node, in ClientMessage message, bool hasArrived = false) =>
        $"{node} {(hasArrived ? ">>" : "->")} {message.Kind}{Fields(node, message, names.Key(message.Cookie, message.Inode))}";

    public string Of(string node, in AuthorityMessage message) =>
        $"{node} <- {message.Kind}{Fields(node, message, names.Key(message.Cookie, message.Inode))}";

    /// <summary>A value as it crosses.</summary>
    public static string Of(in Payload payload) => payload.Kind switch
    {
        PayloadKind.Bytes => $"bytes \"{Encoding.UTF8.GetString(payload.Bytes.Span)}\"",
        PayloadKind.Reference => Quote($"{payload.Reference}"),
        _ => "none",
    };

    /// <summary>A value; of a long one its beginning and its length.</summary>
    public static string Quote(string? value) => value is { Length: > 40 } ? $"\"{value[..3]}...\" of {value.Length}" : $"\"{value}\"";

    private string Fields<TMessage>(string node, TMessage message, string? key)
        where TMessage : struct
    {
        var text = new StringBuilder(key is null ? string.Empty : $" {key}");
        foreach (FieldInfo field in typeof(TMessage).GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            object value = field.GetValue(message)!;
            if (!value.Equals(Activator.CreateInstance(field.FieldType)) && Word(node, key, field.Name, value) is { } word)
            {
                text.Append(' ').Append(word);
            }
        }

        return text.ToString();
    }

    private string? Word(string node, string? key, string field, object value) => (field, value) switch
    {
        ("Kind" or "Session" or "Inode" or "Key" or "Cookie", _) => null,
        ("Sequence", MessageSeq number) => showsNumbers ? $"m{number.Value}" : null,
        ("TookIn", MessageSeq number) => showsNumbers ? $"took m{number.Value}" : null,
        ("RequestId", long request) => names.Request(node, request),
        ("Version", long version) => $"version {names.Version(key, version)}",
        ("VersionLimit", _) => null,
        ("MaxSize", long size) => showsSizes ? $"room {size}" : null,
        ("WantedSize", long size) => $"wishes room {size}",
        ("Tid", FlushTid tid) => $"t{tid}",
        (_, FlushTid tid) => $"{Label(field)} t{tid}",
        ("TimeToLive", long milliseconds) => $"ends in {milliseconds} ms",
        ("Wanted", CapSet caps) => $"wants {caps}",
        ("HasValue", _) => "present",
        ("Payload", Payload payload) => $"value {Of(payload)}",
        ("Precondition", Precondition expected) => $"if {names.Version(key, expected.Version)}",
        (_, Ownership owner) => $"owner {names.Request(node, owner.Request)} {names.Fence(key, owner.Fence)}",
        (_, Fence fence) => $"fence {names.Fence(key, fence)}",
        (_, CapId cap) => $"cap {names.Cap(cap)}",
        (_, RenewSeq renewal) => $"r{renewal.Value}",
        (_, MessageSeq number) => $"{Label(field)} m{number.Value}",
        (_, bool) => Label(field),
        _ => $"{Label(field)} {value}",
    };

    private static string Label(string field)
    {
        string name = field.StartsWith("Is", StringComparison.Ordinal) ? field[2..] : field;
        return $"{char.ToLowerInvariant(name[0])}{name[1..]}";
    }
}
