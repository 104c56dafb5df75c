using CacheEngine.Sync;

namespace CacheEngine.Sessions;

/// <summary>Spare operations of one engine, at most <see cref="MaxSpares"/>; more are left to the collector.</summary>
internal sealed class OperationPool
{
    public const int MaxSpares = 1024;

    private SpinGate _gate;
    private Operation? _free;
    private int _count;

    /// <param name="onCanceled">Ends an operation whose caller gave up; called with no gate held.</param>
    public OperationPool(Action<Operation> onCanceled) => OnCanceled = onCanceled;

    public Action<Operation> OnCanceled { get; }

    public Operation Rent()
    {
        _gate.Enter(LockLevel.Leaf);
        Operation? operation = _free;
        if (operation is not null)
        {
            _free = operation.NextInLedger;
            operation.NextInLedger = null;
            _count--;
        }

        _gate.Leave(LockLevel.Leaf);
        return operation ?? new Operation(this);
    }

    public void Return(Operation operation)
    {
        _gate.Enter(LockLevel.Leaf);
        if (_count < MaxSpares)
        {
            operation.NextInLedger = _free;
            _free = operation;
            _count++;
        }

        _gate.Leave(LockLevel.Leaf);
    }
}
