using CacheEngine.Authority;
using CacheEngine.Caps;
using CacheEngine.Flushing;
using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>The sizes and bounds of one engine.</summary>
internal sealed record EngineOptions
{
    public required SessionOpening Opening { get; init; }

    public required TimeProvider TimeProvider { get; init; }

    public required int MaxEntries { get; init; }

    public required int MaxOperations { get; init; }

    public required TimeSpan OperationTimeout { get; init; }

    public required TimeSpan BreakTimeout { get; init; }

    public required TimeSpan WriteBackDelay { get; init; }

    public required int MaxDirty { get; init; }

    public required PumpScheduler Scheduler { get; init; }
}

/// <summary>
/// The composition root of one node: builds the rooms, connects them, starts and stops them. It decides nothing: decisions are made in
/// CacheEngine.Core, state is changed in the inode's gate, and this class carries the effects outside.
/// </summary>
internal sealed class Engine : IAsyncDisposable
{
    /// <summary>How much further than the monotonic clock the wall clock may go between two ticks, beside the tick itself.</summary>
    private const long SuspendAllowanceMilliseconds = 500;

    private const int OutboxShards = 4;

    private static readonly TimeSpan ReopenDelay = TimeSpan.FromMilliseconds(100);

    private readonly EngineOptions _options;
    private readonly CacheAuthority _authority;
    private readonly InodeTable _table;
    private readonly Outbox _outbox = new(OutboxShards);
    private readonly OutboundPump _outbound;
    private readonly Standing _standing = new();
    private readonly Recovery _recovery;
    private readonly InboundPump _inbound;
    private readonly TimerPump _timerPump;
    private readonly Action _wakeInbound;
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource? _reset;
    private ITimer? _timer;
    private long _lastTickAt;
    private long _lastWallAt;
    private long _revokes;
    private int _isReopening;

    public Engine(CacheAuthority authority, InodeTable table, EngineOptions options)
    {
        _authority = authority;
        _table = table;
        _options = options;
        Clock = new EngineClock(options.TimeProvider);
        var flushes = new FlushLedger(options.MaxDirty);
        Session = new Session(flushes);
        Pool = new CapPool(options.MaxEntries, maxSpares: 1024, shards: 4 * Environment.ProcessorCount);
        _recovery = new Recovery(flushes);
        _outbound = new OutboundPump(options.Scheduler, _outbox, Session, Clock, _recovery, OnOpened, OnRecovered);
        WriteBack = new WriteBack(options.WriteBackDelay, Clock, flushes, Session, _outbox);
        WriteBack.Lost = report => LossWatch.Tell(new WritesLostEventArgs(report));
        Desk = new OperationDesk(options, Clock, Session, _standing, Pool, _outbox, WriteBack, _outbound.Wake);
        LoadDesk = new LoadDesk(Desk, Session, Clock, _outbox, _outbound.Wake);
        Flushes = new FlushDesk(Desk, WriteBack, Clock, _outbox, _outbound.Wake);
        Watch = new StateWatch(() => State);
        _inbound = new InboundPump(options.Scheduler, this);
        _timerPump = new TimerPump(options.Scheduler, this);
        _wakeInbound = _inbound.Wake;
    }

    public EngineClock Clock { get; }

    public Session Session { get; }

    public CapPool Pool { get; }

    public SessionOpening Opening => _options.Opening;

    public OperationDesk Desk { get; }

    public LoadDesk LoadDesk { get; }

    public WriteBack WriteBack { get; }

    public FlushDesk Flushes { get; }

    public StateWatch Watch { get; }

    public Announcements<WritesLostEventArgs> LossWatch { get; } = new();

    /// <summary>Whether nothing new is begun any more.</summary>
    public bool IsDisposed => Desk.IsClosed;

    /// <summary>Whether the session is not kept up any more.</summary>
    private bool IsStopped => _standing.Phase == SessionPhase.Closed;

    public CacheState State =>
        IsDisposed ? CacheState.Disposed
        : _standing.Phase == SessionPhase.Rejected ? CacheState.Rejected
        : Session.Link is null ? CacheState.Disconnected
        : Clock.Now < Session.Deadline ? CacheState.Serving
        : CacheState.Lapsed;

    /// <summary>How many revokes have been taken in.</summary>
    public long Revokes => Volatile.Read(ref _revokes);

    public int OperationsInFlight => Desk.InFlight;

    /// <summary>Opens the session and starts the timer.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        long askedAt = Clock.Now;
        ISessionLink link = await _authority.OpenSessionAsync(_options.Opening, _wakeInbound, cancellationToken).ConfigureAwait(EngineAwait.Captured);
        Session.Open(link, askedAt);
        _ = _standing.Move(SessionEvent.Opened);
        _lastTickAt = Clock.Now;
        _lastWallAt = Clock.WallNow;
        var period = TimeSpan.FromMilliseconds(Math.Clamp(link.Terms.RenewIntervalMilliseconds / 4, 1, 250));
        _timer = Clock.Provider.CreateTimer(static state => ((TimerPump)state!).Tick(), _timerPump, period, period);
    }

    /// <summary>Takes in one message: judged whole, applied under the inode's gate, then counted as taken in.</summary>
    public void TakeIn(in AuthorityMessage message, ISessionLink link)
    {
        MessageFault fault = MessageRules.Judge(message, link.Id, Session.TookIn);
        if (fault is MessageFault.OtherSession or MessageFault.Repeated)
        {
            return;
        }

        if (fault != MessageFault.None || message.Kind == AuthorityMessageKind.SessionEnded)
        {
            // A gap or a message that cannot be understood may hide a revoke: the session's rights are not to be trusted any more.
            LoseSession();
            return;
        }

        long now = Clock.Now;
        var done = default(OperationList);
        Inode? inode = _table.Find(message.Cookie, message.Inode) ?? _table.FindAsking(message.Cookie, message.RequestId);
        if (inode is { HasCap: true })
        {
            Apply(message, inode, link, now, ref done);
        }
        else if (message.Kind is AuthorityMessageKind.Grant or AuthorityMessageKind.Revoke or AuthorityMessageKind.Standing && message.Cap.Value != 0)
        {
            ReleaseUnknown(message, link);
        }

        long before = Session.Deadline;
        bool moved = Session.Took(message.Sequence);
        Desk.CompleteAll(ref done);
        OnLeaseMoved(moved, before);
        _outbound.Wake();
    }

    /// <summary>Takes in the answer to a renewal.</summary>
    public void TakeInRenewal(in AuthorityMessage message, ISessionLink link)
    {
        if (MessageRules.Judge(message, link.Id, Session.TookIn) != MessageFault.None || message.Kind != AuthorityMessageKind.Renewed)
        {
            return;
        }

        long now = Clock.Now;
        long before = Session.Deadline;
        bool moved = Session.Renewed(message, link.Terms, now);
        OnLeaseMoved(moved, before);
    }

    /// <summary>What the timer does, at most a quarter of the renewal interval apart.</summary>
    public void OnTick()
    {
        if (IsStopped)
        {
            return;
        }

        long now = Clock.Now;
        long wall = Clock.WallNow;
        if (SuspendDecision.Decide(now - _lastTickAt, wall - _lastWallAt, SuspendAllowanceMilliseconds))
        {
            // Nothing is served until a renewal is answered that is sent after this sweep.
            Session.VoidLease();
            long missed = wall - _lastWallAt - (now - _lastTickAt);
            _table.Visit(inode =>
            {
                using Inode.Hold hold = inode.Enter();
                hold.ForgetMortal(missed);
            });
        }

        _lastTickAt = now;
        _lastWallAt = wall;
        if (now >= Session.Deadline)
        {
            _ = _standing.Move(SessionEvent.Lapsed);
        }

        if (Session.Link is { } link && Session.TryRenew(now, out RenewSeq seq))
        {
            link.Renew(new ClientMessage { Kind = ClientMessageKind.Renew, Session = link.Id, Renew = seq, TookIn = Session.TookIn });
        }

        WriteBack.FlushDue(now);
        Desk.EndOverdue(now);
        Desk.BreakOwners(now);
        Watch.Look();

        // The doorbell may have been rung in vain or not at all.
        _inbound.Wake();
        _outbound.Wake();
    }

    /// <summary>Gives the session up if the authority must have done so; called by the inbound pump, so that nothing is taken in meanwhile.</summary>
    public bool TryTimeOut()
    {
        bool hasTimedOut = Session.HasTimedOut(Clock.Now);
        if (hasTimedOut)
        {
            LoseSession();
        }

        return hasTimedOut;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!Desk.TryClose())
        {
            return;
        }

        _ = _standing.Move(SessionEvent.StopBegun);
        if (WriteBack.Ledger.Count != default)
        {
            // The session is kept up until the last record is durable. Bound: the operation timeout.
            _ = await Flushes.FlushAllAsync(CancellationToken.None, isStopping: true).ConfigureAwait(EngineAwait.Captured);
        }

        SessionTransition stopped = _standing.Move(SessionEvent.Stopped);
        _stopping.Cancel();
        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(EngineAwait.Captured);
        }

        Carry(stopped, LossReason.Stopped);
    }

    /// <summary>Begins anew with nothing of before, after flushing for as long as it is allowed to.</summary>
    /// <returns>What was lost and has not been told.</returns>
    public async ValueTask<IReadOnlyList<LossReport>> ResetAsync(TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        long mark = WriteBack.Losses.Mark;
        using var drain = new CancellationTokenSource(drainTimeout, Clock.Provider);
        using (cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), drain))
        {
            _ = await Flushes.FlushAllAsync(drain.Token).ConfigureAwait(EngineAwait.Captured);
        }

        var fresh = new TaskCompletionSource(EngineAwait.Completion);

        // Edge RESET-1 (full fence; other end: RESET-2): one reset at a time; those that are asked for before it begins are done, and over, with it.
        TaskCompletionSource done = Interlocked.CompareExchange(ref _reset, fresh, null) ?? fresh;
        _inbound.Wake();
        await done.Task.ConfigureAwait(EngineAwait.Captured);
        return WriteBack.Losses.Take(null, mark);
    }

    /// <summary>Carries out a reset that is due; called by the inbound pump, so that nothing is taken in meanwhile.</summary>
    public bool TryReset()
    {
        // Edge RESET-2 (full fence; other end: RESET-1): taken before the work, so that a request that comes during it is not lost.
        if (Interlocked.Exchange(ref _reset, null) is not { } asked)
        {
            return false;
        }

        Carry(_standing.Move(SessionEvent.Reset), LossReason.Reset);
        asked.SetResult();
        return true;
    }

    private void Apply(in AuthorityMessage message, Inode inode, ISessionLink link, long now, ref OperationList done)
    {
        InodeActivity? idle;
        var lost = default(FlushList);
        using (Inode.Hold hold = inode.Enter())
        {
            bool owes = false;
            switch (message.Kind)
            {
                case AuthorityMessageKind.Grant:
                    owes = hold.ApplyGrant(message, Session, link.Terms, now, ref done);
                    break;
                case AuthorityMessageKind.Revoke:
                    Volatile.Write(ref _revokes, _revokes + 1);
                    owes = hold.ApplyRevoke(message, Session);
                    hold.NoteHeldUp(now);
                    break;
                case AuthorityMessageKind.Flushed:
                    hold.ApplyFlushed(message, ref done);
                    break;
                case AuthorityMessageKind.Refused when message.Tid.Value != 0:
                    hold.ApplyFlushRefused(message.Tid, ref done, ref lost);
                    break;
                case AuthorityMessageKind.Standing:
                    owes = hold.ApplyStanding(message, Session, ref done);
                    hold.AnswerKnown(Session, now, ref done);
                    break;
                default:
                    owes = hold.ApplyOutcome(message, Session, ref done);
                    hold.AnswerKnown(Session, now, ref done);
                    break;
            }

            // Before the answer, which gives up the right that it was written under.
            WriteBack.SealIfTaken(hold);
            hold.WakeRoomWaitersIfTaken(Session.Generation, ref done);
            if (owes)
            {
                _outbox.Append(hold.Cap!, inode.Cookie);
            }

            Desk.Ask(inode, hold, now);
            idle = hold.DetachIdle();
        }

        Desk.ReturnSpare(idle);
        WriteBack.TellAll(ref lost);
    }

    private void ReleaseUnknown(in AuthorityMessage message, ISessionLink link)
    {
        // The authority would wait for an answer that nobody else can give.
        var release = new ClientMessage
        {
            Kind = ClientMessageKind.Release,
            Inode = message.Inode,
            Cookie = message.Cookie,
            Cap = message.Cap,
            Seq = message.Seq,
        };
        _outbox.Append(new UnknownCapRelease(release, link.Id), message.Cookie);
    }

    private void OnLeaseMoved(bool moved, long before)
    {
        // The clock is read after the move: before it nobody can have found the lease lapsed if it has not passed the old deadline even now.
        // Edge LEASE-1 (full fence; other end: LEASE-2): with the move still in this core's store buffer, an operation could find the lease lapsed later.
        Interlocked.MemoryBarrier();
        if (moved && Clock.Now >= before)
        {
            Carry(_standing.Move(SessionEvent.Regained), LossReason.RightLost);
        }
    }

    private void LoseSession()
    {
        if (Session.TryLose(out _))
        {
            Carry(_standing.Move(SessionEvent.Lost), LossReason.RightLost);
        }
    }

    /// <summary>Carries a transition out.</summary>
    private void Carry(in SessionTransition transition, LossReason reason)
    {
        ISessionLink? closed = null;
        if (transition.Has(SessionEffects.CloseLink))
        {
            _ = Session.TryClose(out closed);
        }

        if (transition.Has(SessionEffects.Suspend))
        {
            Suspend();
        }

        if (transition.Has(SessionEffects.GiveUp))
        {
            OperationStatus status = transition.To == SessionPhase.Closed ? OperationStatus.Disposed : OperationStatus.Unavailable;
            _table.Visit(inode => Desk.EndAll(inode, status, reason));
        }

        if (closed is not null)
        {
            // After the sweep: only then it is known whether anything that was buffered is missing.
            SayGoodbye(closed);
        }

        if (transition.Has(SessionEffects.Recover))
        {
            _recovery.Begin();
        }

        if (transition.Has(SessionEffects.Reconsider))
        {
            Desk.OnLeaseRegained();
        }

        Watch.Look();
        if (transition.Has(SessionEffects.Reopen))
        {
            Session.Admit();
            _ = ReopenAsync();
        }
    }

    /// <summary>Nothing of the session that was lost is used any more; what is worth it is claimed in the next one.</summary>
    private void Suspend() => _table.Visit(inode =>
    {
        var done = default(OperationList);
        bool isClaimable;
        using (Inode.Hold hold = inode.Enter())
        {
            hold.LoseSession(ref done);
            isClaimable = hold.IsWorthClaiming();
        }

        if (isClaimable)
        {
            _recovery.Add(inode);
        }

        Desk.CompleteAll(ref done);
    });

    private async Task ReopenAsync()
    {
        // Edge REOPEN-1 (full fence; other ends: REOPEN-2, REOPEN-3, REOPEN-4): one at a time.
        if (Interlocked.Exchange(ref _isReopening, 1) != 0)
        {
            return;
        }

        // Bound: until the cache is disposed or the authority refuses for good, one try per delay.
        while (_standing.Phase is SessionPhase.Reconnecting or SessionPhase.Closing)
        {
            try
            {
                await OpenSessionAsync(_stopping.Token).ConfigureAwait(EngineAwait.Captured);
                return;
            }
            catch (Exception exception) when (exception is SessionRejectedException or ObjectDisposedException)
            {
                Carry(_standing.Move(SessionEvent.Refused), LossReason.RightLost);

                // Edge REOPEN-3 (full fence; other end: REOPEN-1): after the transition, and then looked again: a reset that has come since found somebody at it.
                Interlocked.Exchange(ref _isReopening, 0);
                if (_standing.Phase == SessionPhase.Reconnecting)
                {
                    _ = ReopenAsync();
                }

                return;
            }
            catch (Exception) when (!IsStopped)
            {
                // Operations that wait end by their own bound; there is nobody else to tell.
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await Task.Delay(ReopenDelay, Clock.Provider, _stopping.Token).ConfigureAwait(EngineAwait.Captured);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        // Edge REOPEN-4 (full fence; other end: REOPEN-1): no session is wanted any more; whoever wants one again finds nobody at it.
        Interlocked.Exchange(ref _isReopening, 0);
    }

    private async ValueTask OpenSessionAsync(CancellationToken cancellationToken)
    {
        long askedAt = Clock.Now;
        ISessionLink link = await _authority.OpenSessionAsync(_options.Opening, _wakeInbound, cancellationToken).ConfigureAwait(EngineAwait.Captured);

        // Edge REOPEN-2 (full fence; other end: REOPEN-1): before the offer; behind it, the offered session could be lost and nobody would ask for the next.
        Interlocked.Exchange(ref _isReopening, 0);
        if (!Session.TryOffer(link, askedAt))
        {
            SayGoodbye(link);
        }

        _outbound.Wake();
    }

    private void OnOpened()
    {
        Carry(_standing.Move(SessionEvent.Opened), LossReason.RightLost);
        _inbound.Wake();
    }

    private void OnRecovered(ISessionLink link) => Carry(_standing.Move(SessionEvent.Recovered, Session, link), LossReason.RightLost);

    private void SayGoodbye(ISessionLink link) => link.Post(new ClientMessage
    {
        Kind = ClientMessageKind.Close,
        Session = link.Id,
        TookIn = Session.TookIn,
        IsClean = WriteBack.Ledger.Count == default && !WriteBack.Ledger.HasLost,
    });
}
