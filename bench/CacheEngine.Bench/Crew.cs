namespace CacheEngine.Bench;

/// <summary>Runs the same work on several threads that start together; one thread is the caller's own.</summary>
internal static class Crew
{
    public static void Run(int size, Action<int> work)
    {
        if (size == 1)
        {
            work(0);
            return;
        }

        using var start = new Barrier(size);
        var failures = new Exception?[size];
        var threads = new Thread[size];
        for (int i = 0; i < size; i++)
        {
            int index = i;
            threads[i] = new Thread(() =>
            {
                start.SignalAndWait();
                try
                {
                    work(index);
                }
                catch (Exception exception)
                {
                    failures[index] = exception;
                }
            });
            threads[i].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        if (failures.FirstOrDefault(failure => failure is not null) is { } first)
        {
            throw new InvalidOperationException("A thread of the crew failed.", first);
        }
    }
}
