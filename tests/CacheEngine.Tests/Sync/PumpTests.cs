using CacheEngine.Sync;

namespace CacheEngine.Tests.Sync;

public sealed class PumpTests
{
    private readonly SteppedScheduler _scheduler = new();

    [Fact]
    public void Wake_ManyTimesWhileQueued_IsOneTurn()
    {
        var pump = new StepPump(_scheduler, static _ => false);
        for (int i = 0; i < 10; i++)
        {
            pump.Wake();
        }

        Assert.Equal(1, _scheduler.Waiting);
        _scheduler.RunNext();
        Assert.Equal(0, _scheduler.Waiting);
        Assert.Equal(1, pump.Steps);
    }

    [Fact]
    public void Wake_WhileRunning_IsOneMoreTurn()
    {
        var pump = new StepPump(_scheduler, static pump =>
        {
            if (pump.Steps == 1)
            {
                pump.Wake();
                pump.Wake();
            }

            return false;
        });
        pump.Wake();
        _scheduler.RunNext();

        Assert.Equal(1, _scheduler.Waiting);
        _scheduler.RunNext();
        Assert.Equal(0, _scheduler.Waiting);
        Assert.Equal(2, pump.Steps);
    }

    [Fact]
    public void Wake_AfterATurnThatFoundNothing_SchedulesAgain()
    {
        var pump = new StepPump(_scheduler, static _ => false);
        pump.Wake();
        _scheduler.RunNext();
        pump.Wake();
        Assert.Equal(1, _scheduler.Waiting);
    }

    [Fact]
    public void RunTurn_MoreWorkThanATurn_IsBoundedAndGoesOnAfterwards()
    {
        int left = (2 * Pump.StepsPerTurn) + 10;
        var pump = new StepPump(_scheduler, _ => left-- > 0);
        pump.Wake();

        _scheduler.RunNext();
        Assert.Equal(Pump.StepsPerTurn, pump.Steps);
        Assert.Equal(1, _scheduler.Waiting);
        _scheduler.RunNext();
        Assert.Equal(2 * Pump.StepsPerTurn, pump.Steps);
        Assert.Equal(1, _scheduler.Waiting);
        _scheduler.RunNext();
        Assert.Equal((2 * Pump.StepsPerTurn) + 11, pump.Steps);
        Assert.Equal(0, _scheduler.Waiting);
    }

    [Fact]
    public void RunTurn_StepThrows_RunnerHearsItAndTheWorkBehindItIsDone()
    {
        int left = 5;
        var pump = new StepPump(_scheduler, pump =>
        {
            left--;
            return pump.Steps == 2 ? throw new TimeoutException("step two") : left > 0;
        });
        pump.Wake();

        Assert.Throws<TimeoutException>(_scheduler.RunNext);
        Assert.Equal(1, _scheduler.Waiting);
        _scheduler.RunNext();
        Assert.Equal(0, left);
        Assert.Equal(0, _scheduler.Waiting);

        pump.Wake();
        Assert.Equal(1, _scheduler.Waiting);
    }

    [Fact]
    public void RunTurn_WokenStepThrows_IsQueuedOnce()
    {
        var pump = new StepPump(_scheduler, static pump =>
        {
            pump.Wake();
            return pump.Steps == 1 ? throw new TimeoutException("step one") : false;
        });
        pump.Wake();
        Assert.Throws<TimeoutException>(_scheduler.RunNext);
        Assert.Equal(1, _scheduler.Waiting);
    }
}

public sealed class PumpSoak
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Wake_ProducersHammer_EverythingIsConsumedByOneRunnerAtATime(bool inline)
    {
        const int Producers = 4;
        const int Each = 40_000;
        var pump = new SumPump(inline ? InlinePumpScheduler.Instance : new PoolScheduler());
        Crew.Run(Producers, _ =>
        {
            for (int i = 0; i < Each; i++)
            {
                pump.Give(i);
                pump.Wake();
            }
        });

        Crew.Await(() => pump.Consumed == Producers * Each, "all numbers are consumed without another wake");
        Assert.Equal(0, pump.Doubled);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Wake_AtTheEndOfATurn_IsNeverLost(bool inline)
    {
        const int Producers = 3;
        const int Rounds = 3_000;
        int seed = Crew.NewSeed();
        var pump = new SumPump(inline ? InlinePumpScheduler.Instance : new PoolScheduler());
        using var round = new Barrier(Producers, barrier =>
        {
            // Each round is quiet before the next begins: a wake that was lost has nobody to make up for it.
            int due = (int)(barrier.CurrentPhaseNumber + 1) * Producers;
            Crew.Await(() => pump.Consumed == due, $"round {barrier.CurrentPhaseNumber} of seed {seed} is consumed without another wake");
        });
        Crew.Run(Producers, member =>
        {
            var random = new Random(seed + member);
            for (int i = 0; i < Rounds; i++)
            {
                Thread.SpinWait(random.Next(60));
                pump.Give(i);
                pump.Wake();
                round.SignalAndWait();
            }
        });

        Assert.Equal(0, pump.Doubled);
    }
}
