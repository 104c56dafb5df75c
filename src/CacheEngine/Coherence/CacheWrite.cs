using CacheEngine.Arbitration;
using CacheEngine.Coherence;
using CacheEngine.Inodes;
using CacheEngine.Sessions;
using CacheEngine.Sync;

namespace CacheEngine;

/// <summary>
/// The exclusive right to change one object at the application's source: from the moment it is given, no node of the cluster serves the object, until it is
/// disposed. Got from <see cref="CoherentCache{TKey, TValue}.BeginWriteAsync"/>.
/// </summary>
/// <remarks>
/// <para>Change the source under <see cref="Fence"/>, then call <see cref="Complete(TValue)"/>, then dispose. Without a word of either <see cref="Complete(TValue)"/> or
/// <see cref="Abandon"/>, as when the change threw, the object is unsettled: the change may still take effect, and nobody reads the source before that
/// is ruled out.</para>
/// <para>Do not read the key through the cache meanwhile: the cache waits for this write. Members may be called from any thread; one of them wins.</para>
/// </remarks>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values.</typeparam>
public sealed class CacheWrite<TKey, TValue> : IAsyncDisposable
    where TKey : notnull
{
    private readonly OperationDesk _desk;
    private readonly Inode<TKey, TValue> _inode;
    private readonly Ownership _ownership;
    private readonly Func<long> _expiry;
    private readonly bool _isRaised;
    private readonly Lock _lock = new();
    private Settlement _settlement;
    private TValue? _value;
    private bool _hasValue;
    private bool _isDisposed;

    internal CacheWrite(OperationDesk desk, Inode<TKey, TValue> inode, Ownership ownership, bool isRaised, Func<long> expiry)
    {
        _desk = desk;
        _inode = inode;
        _ownership = ownership;
        _isRaised = isRaised;
        _expiry = expiry;
    }

    /// <summary>The key that may be changed.</summary>
    public TKey Key => _inode.Key;

    /// <summary>The number to change the source with: it must refuse the change if it has seen a greater one for this key.</summary>
    public Fence Fence => _ownership.Fence;

    /// <summary>Says that the source has been changed; this node serves the value once the write is disposed, others load it.</summary>
    /// <param name="value">The new value; must not be changed afterwards.</param>
    /// <exception cref="InvalidOperationException">The write is completed or abandoned already; nothing is changed.</exception>
    /// <exception cref="CapabilityLostException">The right was taken meanwhile. If the source accepted the change under its fence, it stands, and other nodes load it.</exception>
    /// <exception cref="ObjectDisposedException">The write is disposed.</exception>
    public void Complete(TValue value) => Say(Settlement.Completed, value, hasValue: true);

    /// <summary>Says that the source has been changed, without the new value: a row was deleted, or what it became is not known here.</summary>
    /// <inheritdoc cref="Complete(TValue)" path="/exception"/>
    public void Complete() => Say(Settlement.Completed, default, hasValue: false);

    /// <summary>Says that the source has not been changed and will not be.</summary>
    /// <exception cref="InvalidOperationException">The write is completed or abandoned already; nothing is changed.</exception>
    /// <exception cref="ObjectDisposedException">The write is disposed.</exception>
    public void Abandon() => Say(_isRaised ? Settlement.Raised : Settlement.Abandoned, default, hasValue: false);

    /// <summary>Gives the right back and waits until the authority has taken in how the write ended. When a completed write's disposal returns, every later
    /// read on any node sees it.</summary>
    /// <exception cref="CapabilityLostException">The write was completed, but its right had been taken: see <see cref="Complete(TValue)"/>.</exception>
    /// <exception cref="AuthorityUnavailableException">The write was completed, and the authority did not answer: no node serves an older value, but those who wait
    /// for the object may go on waiting until the right has run out.</exception>
    /// <exception cref="ObjectDisposedException">The write was completed, but its cache was disposed first: as when the right had been taken.</exception>
    public async ValueTask DisposeAsync()
    {
        Settlement settlement;
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            settlement = _settlement;
        }

        var change = new Change
        {
            Ownership = _ownership,
            Settlement = settlement == Settlement.None ? Settlement.Unknown : settlement,
            LocalValue = _value,
            HasLocalValue = _hasValue,
            LocalExpiry = _expiry(),
        };
        try
        {
            OperationResult result = await _desk.SettleAsync(_inode, change, flight: null, CancellationToken.None).ConfigureAwait(EngineAwait.Captured);
            _ = Outcomes.OfChange(result, CancellationToken.None);
        }
        catch (Exception) when (settlement != Settlement.Completed)
        {
            // Nothing hangs on it: the right ends by itself, and the object is unsettled then.
        }
    }

    private void Say(Settlement settlement, TValue? value, bool hasValue)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_settlement != Settlement.None)
            {
                throw new InvalidOperationException(
                    $"The write of this key has been {(_settlement == Settlement.Completed ? "completed" : "abandoned")}: that cannot be said twice.");
            }

            if (settlement == Settlement.Completed && !OperationDesk.Owns(_inode, _ownership))
            {
                throw new CapabilityLostException(
                    "The right to this write was taken before it was completed. If the source accepted the change under its fence, it stands.");
            }

            _settlement = settlement;
            _value = value;
            _hasValue = hasValue;
        }
    }
}
