using System.Collections.Concurrent;

namespace CacheEngine.Load.Tests.Arrivals;

/// <summary>One thread that does all work in the order in which it came: whoever holds it up holds up everybody behind.</summary>
internal sealed class OneWorker : IDisposable
{
    private readonly BlockingCollection<IThreadPoolWorkItem> _queue = [];
    private readonly Thread _thread;

    public OneWorker()
    {
        _thread = new Thread(() =>
        {
            foreach (IThreadPoolWorkItem item in _queue.GetConsumingEnumerable())
            {
                item.Execute();
            }
        })
        { IsBackground = true };
        _thread.Start();
    }

    public void Add(IThreadPoolWorkItem item) => _queue.Add(item);

    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
    }
}
