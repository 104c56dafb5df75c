using System.Collections.Concurrent;
using CacheEngine.Inodes;
using Npgsql;

namespace CacheEngine.PostgreSql.Store;

/// <summary>Which object a region's key names. A binding is for ever, so what this process has learnt once it need not ask again.</summary>
internal sealed class KeyBindings(Database database)
{
    /// <summary>Bound: more are forgotten all together, and asked for again when they are needed.</summary>
    private const int MaxRemembered = 100_000;

    private readonly ConcurrentDictionary<(string Region, string Key), InodeId> _known = new();

    /// <summary>Binds keys, those that are new too, and tells their ids. One round trip if any is not known here.</summary>
    public async ValueTask<InodeId[]> BindAsync(string region, ReadOnlyMemory<byte>[] keys, CancellationToken cancellationToken)
    {
        string[] names = [.. keys.Select(static key => Convert.ToHexString(key.Span))];
        string[] missing = [.. names.Where(name => !_known.ContainsKey((region, name))).Distinct()];
        Dictionary<string, InodeId> found = missing.Length == 0 ? [] : await AskAsync(region, missing, cancellationToken);
        if (_known.Count + found.Count > MaxRemembered)
        {
            _known.Clear();
        }

        var ids = new InodeId[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            if (!found.TryGetValue(names[i], out ids[i]) && !_known.TryGetValue((region, names[i]), out ids[i]))
            {
                // It was forgotten just now.
                ids[i] = (await AskAsync(region, [names[i]], cancellationToken))[names[i]];
            }

            _known[(region, names[i])] = ids[i];
        }

        return ids;
    }

    private async ValueTask<Dictionary<string, InodeId>> AskAsync(string region, string[] names, CancellationToken cancellationToken)
    {
        byte[][] keys = [.. names.Select(Convert.FromHexString)];
        await using NpgsqlConnection connection = await database.OpenAsync(cancellationToken);
        await using NpgsqlBatch batch = connection.CreateBatch();
        batch.BatchCommands.Add(Commands.Sql(Statements.Bind).With(region).With(keys));
        batch.BatchCommands.Add(Commands.Sql(Statements.Find).With(region).With(keys));
        await using NpgsqlDataReader reader = await database.QueryAsync(batch, cancellationToken);
        var found = new Dictionary<string, InodeId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found[Convert.ToHexString(reader.GetFieldValue<byte[]>(1))] = new InodeId(reader.GetInt64(0));
        }

        return found;
    }
}
