using CacheEngine.Embedded;

namespace CacheEngine.Tests.Embedded;

public sealed class MessageQueueTests
{
    private readonly MessageQueue<int> _queue = new();

    [Fact]
    public void Empty_NothingIsDue()
    {
        Assert.Equal(long.MaxValue, _queue.NextDue);
        Assert.False(_queue.TryTake(long.MaxValue, out _));
    }

    [Fact]
    public void TryTake_BeforeItsTime_Waits()
    {
        _queue.Add(1, 100);
        Assert.Equal(100, _queue.NextDue);
        Assert.False(_queue.TryTake(99, out _));
        Assert.True(_queue.TryTake(100, out int message));
        Assert.Equal(1, message);
        Assert.Equal(long.MaxValue, _queue.NextDue);
    }

    [Fact]
    public void Add_WithDecreasingDelays_NothingOvertakes()
    {
        for (int i = 0; i < 5; i++)
        {
            _queue.Add(i, 100 - (10 * i));
        }

        Assert.Equal(100, _queue.NextDue);
        Assert.False(_queue.TryTake(99, out _));
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(100, _queue.NextDue);
            Assert.True(_queue.TryTake(100, out int message));
            Assert.Equal(i, message);
        }
    }

    [Fact]
    public void Add_PastTheRingFromEveryOffset_KeepsTheOrder()
    {
        for (int offset = 0; offset < 8; offset++)
        {
            var queue = new MessageQueue<int>();
            for (int i = 0; i < offset; i++)
            {
                queue.Add(-1, 0);
                Assert.True(queue.TryTake(0, out _));
            }

            for (int i = 0; i < 100; i++)
            {
                queue.Add(i, i);
            }

            for (int i = 0; i < 100; i++)
            {
                Assert.Equal(i, queue.NextDue);
                Assert.False(queue.TryTake(i - 1, out _));
                Assert.True(queue.TryTake(i, out int message));
                Assert.Equal(i, message);
            }

            Assert.False(queue.TryTake(long.MaxValue, out _));
        }
    }

    [Fact]
    public void Clear_DropsEverythingAndCanBeUsed()
    {
        for (int i = 0; i < 20; i++)
        {
            _queue.Add(i, 0);
        }

        _queue.Clear();
        Assert.Equal(long.MaxValue, _queue.NextDue);
        Assert.False(_queue.TryTake(long.MaxValue, out _));
        _queue.Add(7, 0);
        Assert.True(_queue.TryTake(0, out int message));
        Assert.Equal(7, message);
    }
}

public sealed class MessageQueueSoak
{
    [Fact]
    public void AddAndTake_AtOnce_KeepsEachSendersOrderWhileGrowing()
    {
        const int Senders = 3;
        const int Each = 30_000;
        var queue = new MessageQueue<(int Sender, int Number)>();
        int[] next = new int[Senders];
        Crew.Run(Senders + 1, member =>
        {
            if (member < Senders)
            {
                for (int i = 0; i < Each; i++)
                {
                    queue.Add((member, i), 0);
                }

                return;
            }

            Crew.Await(
                () =>
                {
                    while (queue.TryTake(0, out (int Sender, int Number) message))
                    {
                        Assert.Equal(next[message.Sender]++, message.Number);
                    }

                    return next.Sum() == Senders * Each;
                },
                "every message is taken");
        });
        Assert.Equal(long.MaxValue, queue.NextDue);
    }
}
