using CacheEngine.Reservations;

namespace CacheEngine.Core.Tests.Reservations;

public class ReservationLedgerTests
{
    [Fact]
    [Rule("RES-12")]
    public void New_IsEmpty() => AssertAccounts(default, total: 0, used: 0, reserved: 0, available: 0);

    [Fact]
    [Rule("RES-2", "RES-3")]
    public void Reserve_DrawsOnTheAvailableOnesFirst()
    {
        var ledger = default(ReservationLedger);
        ledger.Reserve(need: 5, fresh: 5);
        AssertAccounts(ledger, total: 5, used: 0, reserved: 5, available: 0);
        ledger.Unreserve(3);
        AssertAccounts(ledger, total: 5, used: 0, reserved: 2, available: 3);

        Assert.Equal(0, ledger.Missing(3));
        Assert.Equal(1, ledger.Missing(4));
        ledger.Reserve(need: 3, fresh: 0);
        AssertAccounts(ledger, total: 5, used: 0, reserved: 5, available: 0);
        ledger.Unreserve(1);
        ledger.Reserve(need: 4, fresh: ledger.Missing(4));
        AssertAccounts(ledger, total: 8, used: 0, reserved: 8, available: 0);
    }

    [Fact]
    [Rule("RES-6", "RES-7")]
    public void TakeAndUnreserve_MovePromisedOnesOnly()
    {
        ReservationLedger ledger = Filled(used: 0, reserved: 3, available: 0);

        ledger.Take();
        AssertAccounts(ledger, total: 3, used: 1, reserved: 2, available: 0);
        ledger.Unreserve(2);
        AssertAccounts(ledger, total: 3, used: 1, reserved: 0, available: 2);
        ledger.Unreserve(0);
        AssertAccounts(ledger, total: 3, used: 1, reserved: 0, available: 2);
    }

    [Theory]
    [Rule("RES-9")]
    [InlineData(0, 0, 0, false)]
    [InlineData(0, 0, 1, true)]
    [InlineData(2, 9, 8, true)]
    [InlineData(2, 10, 8, false)]
    [InlineData(2, 11, 8, false)]
    [InlineData(2, 1, 0, true)]
    [InlineData(1, 5, int.MaxValue, true)]
    public void Put_KeepsAsManySparesAsAreReservedAndAllowed(int reserved, int available, int maxSpares, bool keeps)
    {
        ReservationLedger ledger = Filled(used: 2, reserved, available);

        Assert.Equal(keeps, ledger.Put(maxSpares));

        int kept = keeps ? 1 : 0;
        AssertAccounts(ledger, total: 1 + reserved + available + kept, used: 1, reserved, available + kept);
    }

    [Theory]
    [Rule("RES-2", "RES-6", "RES-7", "RES-9", "T42")]
    [InlineData("need < 0")]
    [InlineData("fresh < 0")]
    [InlineData("fresh > need")]
    [InlineData("more than there are")]
    [InlineData("unreserve < 0")]
    [InlineData("unreserve > reserved")]
    [InlineData("missing < 0")]
    public void ContractViolation_ThrowsAndChangesNothing(string violation)
    {
        ReservationLedger ledger = Filled(used: 1, reserved: 2, available: 3);
        Action<ReservationLedgerBox> act = violation switch
        {
            "need < 0" => static box => box.Ledger.Reserve(-1, 0),
            "fresh < 0" => static box => box.Ledger.Reserve(1, -1),
            "fresh > need" => static box => box.Ledger.Reserve(1, 2),
            "more than there are" => static box => box.Ledger.Reserve(5, 1),
            "unreserve < 0" => static box => box.Ledger.Unreserve(-1),
            "unreserve > reserved" => static box => box.Ledger.Unreserve(3),
            _ => static box => box.Ledger.Missing(-1),
        };

        AssertRefused(ledger, act);
    }

    [Fact]
    [Rule("RES-7", "RES-9")]
    public void TakeUnreserved_OrPutUnused_ThrowsAndChangesNothing()
    {
        AssertRefused(Filled(used: 1, reserved: 0, available: 3), static box => box.Ledger.Take());
        AssertRefused(Filled(used: 0, reserved: 1, available: 3), static box => box.Ledger.Put(8));
    }

    [Fact]
    [Rule("RES-4", "T42")]
    public void FailureToAllocateTheKth_LeavesNothingReserved()
    {
        // Allocation comes before the entry, so an attempt that fails half-way has entered nothing.
        for (int obtained = 0; obtained < 6; obtained++)
        {
            ReservationLedger ledger = Filled(used: 1, reserved: 0, available: 2);
            Assert.Equal(6, ledger.Missing(8));

            AssertRefused(ledger, box => box.Ledger.Reserve(8, obtained));
        }
    }

    private static void AssertRefused(ReservationLedger ledger, Action<ReservationLedgerBox> act)
    {
        var box = new ReservationLedgerBox { Ledger = ledger };

        Exception? refused = Record.Exception(() => act(box));

        Assert.True(refused is InvalidOperationException or ArgumentOutOfRangeException, $"{refused}");
        AssertAccounts(box.Ledger, ledger.Total, ledger.Used, ledger.Reserved, ledger.Available);
    }

    private static ReservationLedger Filled(int used, int reserved, int available)
    {
        var ledger = default(ReservationLedger);
        ledger.Reserve(used + reserved + available, used + reserved + available);
        ledger.Unreserve(available);
        for (int taken = 0; taken < used; taken++)
        {
            ledger.Take();
        }

        AssertAccounts(ledger, used + reserved + available, used, reserved, available);
        return ledger;
    }

    private static void AssertAccounts(ReservationLedger ledger, int total, int used, int reserved, int available) =>
        Assert.Equal((total, used, reserved, available), (ledger.Total, ledger.Used, ledger.Reserved, ledger.Available));

    private sealed class ReservationLedgerBox
    {
        public ReservationLedger Ledger;
    }
}
