using CacheEngine.Authority;
using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>Where a node stands with its authority: one phase, changed only by the table of <see cref="SessionTransition"/>.</summary>
internal sealed class Standing
{
    private SpinGate _gate;
    private SessionPhase _phase = SessionPhase.Opening;

    public SessionPhase Phase
    {
        get
        {
            _gate.Enter(LockLevel.Leaf);
            SessionPhase phase = _phase;
            _gate.Leave(LockLevel.Leaf);
            return phase;
        }
    }

    /// <summary>Takes an event in. The effects are the caller's to carry out, with no gate held.</summary>
    public SessionTransition Move(SessionEvent what) => Move(what, null, null);

    /// <summary>The same for what concerns one session, unless it is lost by now. Whoever loses it comes here afterwards, so nothing of it follows its loss.</summary>
    public SessionTransition Move(SessionEvent what, Session? session, ISessionLink? link)
    {
        _gate.Enter(LockLevel.Leaf);
        SessionTransition transition = ReferenceEquals(session?.Link, link) ? SessionTransition.Decide(_phase, what) : new(_phase, SessionEffects.None);
        _phase = transition.To;
        _gate.Leave(LockLevel.Leaf);
        return transition;
    }
}
