using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

[Rule("P23")]
public class ReceivedWindowProperties
{
    private const int Size = ReceivedWindow.Size;

    [Fact]
    public void Take_FromOne_InOrder_IsNextEachTime()
    {
        ReceivedWindow window = Filled(through: 3 * Size);
        Assert.Equal(new MessageSeq(3 * Size), window.Last);
    }

    [Fact]
    public void Take_NumberZero_IsNeverTheNext()
    {
        ReceivedWindow window = default;
        Assert.NotEqual(Reception.Next, window.Take(new MessageSeq(0), 77));
        Assert.Equal(new MessageSeq(0), window.Last);
        Assert.Equal(Reception.Next, window.Take(new MessageSeq(1), 77));
        Assert.NotEqual(Reception.Next, window.Take(new MessageSeq(0), 77));
    }

    [Fact]
    public void Take_AGap_ChangesNothing()
    {
        ReceivedWindow window = Filled(through: 5);
        Assert.Equal(Reception.Gap, window.Take(new MessageSeq(7), 1));
        Assert.Equal(Reception.Gap, window.Take(new MessageSeq(ulong.MaxValue), 1));
        Assert.Equal(new MessageSeq(5), window.Last);
        Assert.Equal(Reception.Next, window.Take(new MessageSeq(6), Print(6)));
    }

    [Fact]
    public void Take_AtTheWindowsEdge_TheOldestKnownIsTold_AndOneOlderIsBelieved()
    {
        const ulong Last = 200;
        ReceivedWindow window = Filled(Last);
        Assert.Equal(Reception.Contradicts, window.Take(new MessageSeq(Last), 1));
        Assert.Equal(Reception.Contradicts, window.Take(new MessageSeq(Last - Size + 1), 1));
        Assert.Equal(Reception.Repeated, window.Take(new MessageSeq(Last - Size + 1), Print(Last - Size + 1)));
        Assert.Equal(Reception.Repeated, window.Take(new MessageSeq(Last - Size), 1));
        Assert.Equal(Reception.Repeated, window.Take(new MessageSeq(1), 1));
    }

    [Fact]
    public void EveryNumber_HasOneEffect_HoweverMessagesAreRepeatedSkippedOrForged()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Walk(new Random(seed), seed);
        }
    }

    private static void Walk(Random random, int seed)
    {
        ReceivedWindow window = default;
        var taken = new Dictionary<ulong, ulong>();
        for (int step = 0; step < 1_000; step++)
        {
            ulong last = window.Last.Value;
            ulong number = random.Next(3) == 0 ? last + 1 : (ulong)Math.Max(0, (long)last + random.Next(-2 * Size, 4));
            ulong print = random.Next(4) == 0 ? (ulong)random.Next(5) : Print(number);
            Reception reception = window.Take(new MessageSeq(number), print);
            string where = $"seed {seed}, step {step}: {number} after {last}";
            Reception expected =
                number == last + 1 ? Reception.Next
                : number > last ? Reception.Gap
                : number + Size <= last ? Reception.Repeated
                : taken.GetValueOrDefault(number) == print ? Reception.Repeated
                : Reception.Contradicts;
            Assert.True(expected == reception, $"{where} was {reception}");
            Assert.True(window.Last.Value == (reception == Reception.Next ? number : last), where);
            if (reception == Reception.Next)
            {
                Assert.True(taken.TryAdd(number, print), where);
            }
        }
    }

    private static ReceivedWindow Filled(ulong through)
    {
        ReceivedWindow window = default;
        for (ulong number = 1; number <= through; number++)
        {
            Assert.Equal(Reception.Next, window.Take(new MessageSeq(number), Print(number)));
        }

        return window;
    }

    private static ulong Print(ulong number) => number * 0x9E3779B97F4A7C15;
}
