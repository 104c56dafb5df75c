namespace SourceOfTruth;

/// <summary>
/// One document at a time, for one holder at a time: an open file that nobody else can open, so that it holds between processes too and ends with
/// its holder. What a database does with the lock of a row.
/// </summary>
internal static class DocumentLock
{
    private static TimeSpan Retry { get; } = TimeSpan.FromMilliseconds(1);
    private static TimeSpan Patience { get; } = TimeSpan.FromSeconds(10);

    public static async ValueTask<FileStream> TakeAsync(string path, CancellationToken cancellationToken)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(Retry, cancellationToken);
            }
        }
    }
}
