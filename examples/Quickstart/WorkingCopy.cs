using System.Security.Cryptography;

namespace Quickstart;

/// <summary>A copied file.</summary>
/// <param name="Key">Its path relative to the folder, with forward slashes: the key in the cache.</param>
/// <param name="Path">Where the copy lies.</param>
/// <param name="FirstRevision">The revision it was copied as.</param>
/// <param name="BodyHash">The digest of what was copied.</param>
/// <param name="WriterTurn">One writer at a time, so that disk and cache get a file's revisions in one order.</param>
internal sealed record CopiedFile(string Key, string Path, long FirstRevision, byte[] BodyHash, SemaphoreSlim WriterTurn)
{
    public bool HasBodyOf(FileContent content) => SHA256.HashData(content.Body).AsSpan().SequenceEqual(BodyHash);
}

/// <summary>
/// Copies of a folder's files in a fresh temporary folder, deleted at the end: the example revises them and must not touch the originals.
/// </summary>
internal sealed class WorkingCopy : IDisposable
{
    public const int MaxFiles = 2000;
    public const int MaxFileBytes = 256 * 1024;

    private const int ShuffleSeed = 1;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("cacheengine-quickstart-");
    private readonly string _copies;
    private readonly string _incoming;
    private readonly List<CopiedFile> _files = [];
    private long _loads;

    private WorkingCopy()
    {
        _copies = _root.CreateSubdirectory("files").FullName;
        _incoming = _root.CreateSubdirectory("incoming").FullName;
    }

    public IReadOnlyList<CopiedFile> Files => _files;

    /// <summary>How many times a copy was loaded for the cache.</summary>
    public long Loads => Volatile.Read(ref _loads);

    /// <summary>Copies what can be read, at most <see cref="MaxFiles"/> files of at most <see cref="MaxFileBytes"/>.</summary>
    public static WorkingCopy Of(string folder)
    {
        var copy = new WorkingCopy();
        try
        {
            foreach ((string key, byte[] body) in SourceFolder.Read(folder).Take(MaxFiles))
            {
                copy.Add(key, body);
            }

            // The popular files should not be the first of the alphabet.
            var order = copy._files.ToArray();
            new Random(ShuffleSeed).Shuffle(order);
            copy._files.Clear();
            copy._files.AddRange(order);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Loads a file for the cache: the factory of every miss.</summary>
    public async ValueTask<FileContent> LoadAsync(string key, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _loads);
        return FileContent.Parse(await File.ReadAllBytesAsync(PathOf(key), cancellationToken));
    }

    /// <summary>Puts a new revision in the place of the old one; whoever opens the file meanwhile gets the one or the other.</summary>
    public async Task ReplaceAsync(CopiedFile file, FileContent content)
    {
        string incoming = Path.Combine(_incoming, $"{content.Revision}");
        await File.WriteAllBytesAsync(incoming, content.Bytes);
        File.Move(incoming, file.Path, overwrite: true);
    }

    public void Dispose() => _root.Delete(recursive: true);

    private string PathOf(string key) => Path.Combine(_copies, key);

    private void Add(string key, byte[] body)
    {
        string path = PathOf(key);
        long revision = _files.Count + 1;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, FileContent.Create(revision, body).Bytes.Span);
        _files.Add(new CopiedFile(key, path, revision, SHA256.HashData(body), new SemaphoreSlim(1, 1)));
    }
}
