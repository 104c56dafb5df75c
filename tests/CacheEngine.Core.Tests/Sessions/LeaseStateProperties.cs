using CacheEngine.Sessions;

namespace CacheEngine.Core.Tests.Sessions;

public class LeaseStateProperties
{
    private static readonly LeaseTerms Terms = new(1_000, clockDrift: 0.01, granularityMilliseconds: 5, sessionTimeoutMilliseconds: 5_000);

    [Fact]
    [Rule("SES-08", "P06", "P27")]
    public void Deadline_IsAlwaysEarnedByAnAnswerWhoseDebtsArePaid()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Walk(new Random(seed), seed);
        }
    }

    private static void Walk(Random random, int seed)
    {
        LeaseState lease = LeaseState.Initial;
        var sent = new List<(RenewSeq Seq, long At)>();
        var answered = new List<(long SentAt, ulong Owed)>();
        ulong tookIn = 0;
        ulong emitted = 0;
        long now = 0;
        for (int step = 0; step < 200; step++)
        {
            now += random.Next(100);
            long before = lease.Deadline;
            bool moved = false;
            switch (random.Next(10))
            {
                case < 3:
                    sent.Add((lease.Sent(now), now));
                    break;
                case < 7 when sent.Count > 0:
                    (RenewSeq question, long at) = sent[random.Next(Math.Max(0, sent.Count - 12), sent.Count)];
                    answered.Add((at, emitted));
                    moved = lease.Answered(question, new MessageSeq(emitted), new MessageSeq(tookIn), Terms);
                    break;
                case 7:
                    emitted++;
                    break;
                case 8 when tookIn < emitted:
                    moved = lease.TookIn(new MessageSeq(++tookIn));
                    break;
                case 9 when random.Next(10) == 0:
                    lease.Void();
                    sent.Clear();
                    answered.Clear();
                    before = long.MinValue;
                    break;
            }

            string where = $"seed {seed}, step {step}";
            Assert.True(lease.Deadline >= before, where);
            Assert.True(moved == (lease.Deadline != before), where);
            Assert.True(
                lease.Deadline == long.MinValue
                || answered.Exists(answer => answer.Owed <= tookIn && Terms.HolderDeadline(answer.SentAt) == lease.Deadline),
                where);
        }
    }
}
