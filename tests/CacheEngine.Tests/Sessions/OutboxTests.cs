using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Sessions;

public sealed class OutboxTests
{
    private readonly Outbox _outbox = new(4);

    [Fact]
    public void Append_Twice_IsTakenOnce()
    {
        var entry = new Debt(1);
        _outbox.Append(entry, 7);
        _outbox.Append(entry, 7);
        Assert.Equal(1, entry.TimesQueued);
        Assert.Equal([entry], TakeAll());
    }

    [Fact]
    public void Append_AfterItWasTaken_IsTakenAgain()
    {
        var entry = new Debt(1);
        _outbox.Append(entry, 7);
        Assert.Equal([entry], TakeAll());
        _outbox.Append(entry, 7);
        Assert.Equal(2, entry.TimesQueued);
        Assert.Equal([entry], TakeAll());
    }

    [Fact]
    public void TryTake_OfOneCookie_IsInTheOrderOfAppending()
    {
        Debt[] debts = [.. Enumerable.Range(0, 200).Select(i => new Debt(i))];
        foreach (Debt debt in debts)
        {
            _outbox.Append(debt, (ulong)(debt.Number % 7));
        }

        List<Debt> taken = TakeAll();
        Assert.Equal(debts.Length, taken.Count);
        for (int cookie = 0; cookie < 7; cookie++)
        {
            Assert.Equal(
                debts.Where(debt => debt.Number % 7 == cookie),
                taken.Where(debt => debt.Number % 7 == cookie));
        }
    }

    [Fact]
    public void TryTake_OneCookieKeepsComing_OthersAreNotStarved()
    {
        var other = new Debt(-1);
        _outbox.Append(other, 1);
        for (int i = 0; i < 8; i++)
        {
            _outbox.Append(new Debt(i), 0);
            _outbox.Append(new Debt(i), 0);
            Assert.True(_outbox.TryTake(out OutboxEntry? taken));
            if (ReferenceEquals(taken, other))
            {
                return;
            }
        }

        Assert.Fail("The other shard's entry waits for ever.");
    }

    [Fact]
    public void TryTake_Empty_IsFalse()
    {
        Assert.False(_outbox.TryTake(out OutboxEntry? entry));
        Assert.Null(entry);
    }

    private List<Debt> TakeAll()
    {
        var taken = new List<Debt>();
        while (_outbox.TryTake(out OutboxEntry? entry))
        {
            taken.Add((Debt)entry!);
        }

        return taken;
    }

    internal sealed class Debt(int number) : OutboxEntry
    {
        public int Number => number;

        public int TimesQueued { get; private set; }

        public override bool TryBuild(in Sending sending, out ClientMessage message)
        {
            message = default;
            return false;
        }

        protected internal override void OnQueued() => TimesQueued++;
    }
}

public sealed class OutboxSoak
{
    [Fact]
    public void AppendAndTake_AtOnce_EveryAppendThatQueuedIsTakenOnceAndInOrder()
    {
        const int Producers = 3;
        const int Each = 30_000;
        var outbox = new Outbox(2);
        int[] nextOf = new int[Producers];
        int taken = 0;
        int producing = Producers;
        Crew.Run(Producers + 1, member =>
        {
            if (member < Producers)
            {
                for (int i = 0; i < Each; i++)
                {
                    outbox.Append(new OutboxTests.Debt((member * Each) + i), (ulong)member);
                }

                Interlocked.Decrement(ref producing);
                return;
            }

            while (true)
            {
                bool last = Volatile.Read(ref producing) == 0;
                if (outbox.TryTake(out OutboxEntry? entry))
                {
                    int number = ((OutboxTests.Debt)entry!).Number;
                    Assert.Equal(nextOf[number / Each]++, number % Each);
                    taken++;
                }
                else if (last)
                {
                    return;
                }
            }
        });
        Assert.Equal(Producers * Each, taken);
    }
}
