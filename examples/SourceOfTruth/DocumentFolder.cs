using System.Text.Json;
using CacheEngine;

namespace SourceOfTruth;

/// <summary>
/// The application's own source: a folder with one JSON document a product. It knows nothing of caches and compares one number: a change under a fence
/// that is less than the document's own is refused, and an accepted one replaces the document and its fence in one step.
/// </summary>
/// <param name="path">The folder.</param>
/// <param name="comparesFences">False is the control of the last act: whoever comes is let in.</param>
internal sealed class DocumentFolder(string path, bool comparesFences = true)
{
    /// <summary>Puts a document there that was not.</summary>
    public async Task CreateAsync(Product document)
    {
        Directory.CreateDirectory(path);
        await ReplaceAsync(document);
    }

    /// <summary>Reads a document.</summary>
    public async ValueTask<Product> LoadAsync(string name, CancellationToken cancellationToken = default)
    {
        // Replacing a file is atomic and readers need no lock, but not every system can replace a file that is open.
        await using FileStream turn = await DocumentLock.TakeAsync(LockOf(name), cancellationToken);
        return await ReadAsync(name, cancellationToken);
    }

    /// <summary>Replaces a document unless a greater fence has been there. <c>UPDATE ... WHERE name = @name AND fence &lt;= @fence</c>.</summary>
    /// <returns>Whether it was replaced.</returns>
    public async ValueTask<bool> TrySaveAsync(Product document, Fence fence)
    {
        await using FileStream turn = await DocumentLock.TakeAsync(LockOf(document.Name), CancellationToken.None);
        Product stored = await ReadAsync(document.Name, CancellationToken.None);
        if (comparesFences && stored.Fence > fence.Value)
        {
            return false;
        }

        await ReplaceAsync(document with { Fence = fence.Value });
        return true;
    }

    /// <summary>Refuses older fences from now on; changes nothing else. <c>UPDATE ... SET fence = @fence WHERE name = @name AND fence &lt; @fence</c>.</summary>
    public async ValueTask RaiseFenceAsync(string name, Fence fence, CancellationToken cancellationToken)
    {
        await using FileStream turn = await DocumentLock.TakeAsync(LockOf(name), cancellationToken);
        Product stored = await ReadAsync(name, cancellationToken);
        if (comparesFences && stored.Fence < fence.Value)
        {
            await ReplaceAsync(stored with { Fence = fence.Value });
        }
    }

    private async Task<Product> ReadAsync(string name, CancellationToken cancellationToken)
    {
        byte[] json = await File.ReadAllBytesAsync(PathOf(name), cancellationToken);
        return JsonSerializer.Deserialize(json, ProductJson.Default.Product) ?? throw new InvalidDataException($"The document of {name} is null.");
    }

    /// <summary>Whoever looks finds the old document or the new one, also after a crash in between.</summary>
    private async Task ReplaceAsync(Product document)
    {
        string incoming = PathOf(document.Name) + ".incoming";
        await File.WriteAllBytesAsync(incoming, JsonSerializer.SerializeToUtf8Bytes(document, ProductJson.Default.Product));
        File.Move(incoming, PathOf(document.Name), overwrite: true);
    }

    private string PathOf(string name) => Path.Combine(path, name + ".json");

    private string LockOf(string name) => Path.Combine(path, name + ".lock");
}
