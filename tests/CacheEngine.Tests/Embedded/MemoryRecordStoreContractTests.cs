using CacheEngine.Authority;
using CacheEngine.Embedded;
using CacheEngine.Sync;

namespace CacheEngine.Tests.Embedded;

/// <summary>The contract, kept in memory.</summary>
public sealed class MemoryRecordStoreContractTests : RecordStoreContract
{
    private protected override ValueTask<IRecordStore> OpenStoreAsync()
    {
        var store = new MemoryRecordStore(Terms, new FixedLatency(0), static (_, _) => { }) { Clock = new EngineClock(Time) };
        store.Reincarnate(Time.GetUtcNow().ToUnixTimeMilliseconds());
        return ValueTask.FromResult<IRecordStore>(store);
    }

    private protected override ValueTask ForgetAsync()
    {
        ((MemoryRecordStore)Store).Reincarnate(Time.GetUtcNow().ToUnixTimeMilliseconds());
        return default;
    }
}
