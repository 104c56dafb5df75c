using CacheEngine.Authority;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Sessions;

public sealed class SessionTests : IAsyncLifetime
{
    private const long Term = 1_000;
    private const long Margin = 20;

    private readonly ManualTimeProvider _time = new();
    private readonly Session _session = new(new FlushLedger(1));
    private EmbeddedAuthority _authority = null!;
    private ISessionLink _link = null!;

    public async Task InitializeAsync()
    {
        _authority = EmbeddedAuthority.Create(new EmbeddedAuthorityOptions
        {
            TimeProvider = _time,
            LeaseTerm = TimeSpan.FromMilliseconds(Term),
            ClockDrift = 0.01,
            ClockGranularity = TimeSpan.FromMilliseconds(5),
        });
        _link = await _authority.OpenSessionAsync(new SessionOpening("region", "shape", "node", Guid.NewGuid(), default), static () => { }, CancellationToken.None);
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public void New_HasNoLeaseAndNoLink()
    {
        Assert.Equal(long.MinValue, _session.Deadline);
        Assert.Null(_session.Link);
        Assert.False(_session.TryLose(out _));
        Assert.False(_session.TryRenew(long.MaxValue, out _));
    }

    [Fact]
    [Rule("SES-08", "P06")]
    public void Open_CountsTheLeaseFromTheQuestion()
    {
        _session.Open(_link, askedAt: 500);
        Assert.Same(_link, _session.Link);
        Assert.Equal(500 + Term - Margin, _session.Deadline);
        Assert.Equal(new MessageSeq(0), _session.TookIn);
    }

    [Fact]
    [Rule("P10")]
    public void TryLose_EndsLeaseAndGenerationAndHandsTheLinkOutOnce()
    {
        _session.Open(_link, 500);
        SessionGeneration before = _session.Generation;
        Assert.True(_session.TryLose(out ISessionLink? lost));
        Assert.Same(_link, lost);
        Assert.Null(_session.Link);
        Assert.Equal(long.MinValue, _session.Deadline);
        Assert.NotEqual(before, _session.Generation);
        Assert.False(_session.TryLose(out ISessionLink? again));
        Assert.Null(again);
    }

    [Fact]
    [Rule("P10")]
    public void Open_Again_IsANewGenerationWithNumbersFromOne()
    {
        _session.Open(_link, 500);
        SessionGeneration first = _session.Generation;
        var message = default(ClientMessage);
        _session.Stamp(ref message, _link);
        _session.Stamp(ref message, _link);
        _session.Took(new MessageSeq(1));
        Assert.Equal(new MessageSeq(2), message.Sequence);

        _session.TryLose(out _);
        _session.Open(_link, 900);
        Assert.NotEqual(first, _session.Generation);
        Assert.Equal(new MessageSeq(0), _session.TookIn);
        _session.Stamp(ref message, _link);
        Assert.Equal(new MessageSeq(1), message.Sequence);
        Assert.Equal(new MessageSeq(0), message.TookIn);
        Assert.Equal(_link.Id, message.Session);
    }

    [Fact]
    [Rule("SES-29")]
    public void VoidLease_EndsTheLeaseKeepsTheRightsAndRenewsAtOnce()
    {
        _session.Open(_link, 500);
        SessionGeneration before = _session.Generation;
        Assert.True(_session.TryRenew(500 + _link.Terms.RenewIntervalMilliseconds, out RenewSeq underWay));
        _session.VoidLease();
        Assert.Equal(long.MinValue, _session.Deadline);
        Assert.Equal(before, _session.Generation);
        Assert.Same(_link, _session.Link);

        // An answer to a question from before says nothing any more; the next one does.
        Assert.False(_session.Renewed(new AuthorityMessage { Renew = underWay }, _link.Terms, 900));
        Assert.Equal(long.MinValue, _session.Deadline);
        Assert.True(_session.TryRenew(900, out RenewSeq next));
        Assert.True(_session.Renewed(new AuthorityMessage { Renew = next }, _link.Terms, 900));
        Assert.Equal(900 + Term - Margin, _session.Deadline);
    }

    [Fact]
    public void TryRenew_OncePerInterval()
    {
        _session.Open(_link, 500);
        long interval = _link.Terms.RenewIntervalMilliseconds;
        Assert.False(_session.TryRenew(500 + interval - 1, out _));
        Assert.True(_session.TryRenew(500 + interval, out RenewSeq first));
        Assert.False(_session.TryRenew(500 + interval, out _));
        Assert.True(_session.TryRenew(500 + (2 * interval), out RenewSeq second));
        Assert.True(second.Value > first.Value);
    }

    [Fact]
    public void Renewed_RevokeUnderWay_ExtendsOnlyOnceItWasTakenIn()
    {
        _session.Open(_link, 500);
        Assert.True(_session.TryRenew(900, out RenewSeq renew));
        var answer = new AuthorityMessage { Renew = renew, OwedThrough = new MessageSeq(2) };
        Assert.False(_session.Renewed(answer, _link.Terms, 900));
        Assert.False(_session.Took(new MessageSeq(1)));
        Assert.Equal(500 + Term - Margin, _session.Deadline);
        Assert.True(_session.Took(new MessageSeq(2)));
        Assert.Equal(900 + Term - Margin, _session.Deadline);
        Assert.Equal(new MessageSeq(2), _session.TookIn);
    }

    [Fact]
    public void Open_SeenByAReader_ANewDeadlineNeverComesWithAnOldGeneration()
    {
        // Each opening is told by its deadline: opening n asks at 1000 n, and every loss and every opening raises the generation by one.
        const int Openings = 60_000;
        int done = 0;
        Crew.Run(2, member =>
        {
            if (member == 0)
            {
                for (int opening = 1; opening <= Openings; opening++)
                {
                    _session.Open(_link, askedAt: opening * 1_000L);
                    _session.TryLose(out _);
                }

                Volatile.Write(ref done, 1);
                return;
            }

            while (Volatile.Read(ref done) == 0)
            {
                long deadline = _session.Deadline;
                uint generation = _session.GenerationValue;
                if (deadline != long.MinValue)
                {
                    long opening = (deadline - Term + Margin) / 1_000;
                    Assert.True(generation >= (2 * opening) - 1, $"the deadline of opening {opening} with generation {generation}");
                }
            }
        });
    }
}
