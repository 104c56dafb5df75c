using CacheEngine.Arbitration;
using CacheEngine.Flushing;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Inodes;

/// <summary>
/// What is left of an inode when its session is lost, and how it comes back: the value stays in memory, unserved, until the authority confirms the right to it.
/// </summary>
/// <remarks>Steps under the inode's gate: each is handed the witness.</remarks>
internal static class Reclaims
{
    /// <summary>Whether there is anything here that the next session should claim: a value, or writes that only this node has.</summary>
    public static bool IsWorthClaiming(this in Inode.Hold hold) =>
        hold.Cap is { } cap
        && !(cap.State.Implemented - CapSet.Pin).IsEmpty
        && (hold.ValueState == ValueState.Unconfirmed || cap.Buffer is { IsClean: false });

    /// <summary>The claim, if there is still something to claim in this session.</summary>
    public static bool TryClaim(this in Inode.Hold hold, in Sending sending, out ClientMessage message)
    {
        message = default;
        if (!sending.IsCurrent || hold.CapState.Generation == sending.Generation || !hold.IsWorthClaiming())
        {
            return false;
        }

        message.Kind = ClientMessageKind.Claim;
        message.Inode = hold.Id;
        message.Cookie = hold.Cookie;
        message.Cap = hold.CapState.Id;
        message.Seq = hold.CapState.Seq;
        message.Caps = hold.CapState.Implemented;
        message.Version = hold.ValueVersion;
        message.Wanted = Rights.AfterWrite;
        message.WantedSize = hold.Cap!.Buffer?.WantedSize ?? 0;
        message.Size = hold.Cap.Buffer?.ReportedSize ?? 0;
        return true;
    }

    /// <summary>A sealed record in a new session: one whose right has been given back comes before all claims, the others behind them.</summary>
    public static bool TryResend(this in Inode.Hold hold, FlushTid tid, bool isEarly, in Sending sending, out ClientMessage message)
    {
        message = default;
        bool isDue = sending.IsCurrent
            && hold.Cap?.Buffer?.Flushing.Find(tid) is { Phase: FlushPhase.Sealed }
            && !(isEarly && hold.CapState.Implemented.Contains(CapSet.FileBuffer));
        if (isDue)
        {
            hold.BuildFlush(hold.Cap!.Buffer!.Flushing.Find(tid)!, sending, out message);
        }

        return isDue;
    }

    /// <summary>A record that was sealed since the session was lost, and whose right is given up with the claim: it goes first.</summary>
    public static bool TryResendBeforeClaim(this in Inode.Hold hold, in Sending sending, out ClientMessage message)
    {
        for (FlushRecord? at = hold.Cap?.Buffer?.Flushing.Head; at is not null; at = at.NextInInode)
        {
            if (at.Phase == FlushPhase.Sealed)
            {
                return hold.TryResend(at.Tid, isEarly: true, sending, out message);
            }
        }

        message = default;
        return false;
    }

    /// <summary>Takes in how a grant stands: what is left of one that was claimed, or a larger limit.</summary>
    /// <returns>Whether the cap owes an answer.</returns>
    public static bool ApplyStanding(this in Inode.Hold hold, in AuthorityMessage message, Session session, ref OperationList done)
    {
        if (hold.Cap is not { } cap || cap.State.Id != message.Cap)
        {
            return false;
        }

        // A claim that was overtaken by a request of this node, whose answer brought the grant into this session, changes nothing any more.
        if (message.Caps.IsEmpty)
        {
            if (cap.State.Generation != session.Generation)
            {
                hold.DropCap(session.Generation);
            }

            hold.WakeRoomWaiters(OperationStatus.Written, ref done);
            return false;
        }

        CapSet kept = cap.State.Implemented;
        bool owes = hold.ApplyCap(message, session, isRevoke: false);
        if (!(cap.State.Issued - kept).IsEmpty)
        {
            // Given up by this node since it asked; the authority hears of it in the message that did.
            hold.GiveUpExclusive();
        }

        hold.TakeLimits(message, ref done);
        if (hold.ValueState == ValueState.Unconfirmed)
        {
            bool isOwn = cap.Buffer is { IsClean: false } && cap.State.Issued.Contains(CapSet.FileBuffer) && message.Version <= hold.ValueVersion;
            bool isSame = message.HasValue && message.Version == hold.ValueVersion;
            if (hold.Holds(Rights.Serve, session.Generation) && (isOwn || isSame))
            {
                hold.Confirm(session.Generation);
            }
            else
            {
                hold.ForgetValue();
            }
        }

        return owes;
    }
}
