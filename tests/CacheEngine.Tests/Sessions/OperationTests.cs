using CacheEngine.Inodes;
using CacheEngine.Protocol;
using CacheEngine.Sessions;

namespace CacheEngine.Tests.Sessions;

public sealed class OperationListTests
{
    private readonly OperationPool _pool = new(static _ => { });
    private OperationList _list;

    [Fact]
    public void TakeFirst_IsInTheOrderOfAdding()
    {
        Operation[] operations = Fill(5);
        foreach (Operation operation in operations)
        {
            Assert.Same(operation, _list.TakeFirst());
        }

        Assert.Null(_list.TakeFirst());
        Assert.True(_list.IsEmpty);
    }

    [Fact]
    public void Remove_FromAnywhere_KeepsTheOthersInOrder()
    {
        for (int at = 0; at < 4; at++)
        {
            Operation[] operations = Fill(4);
            Assert.Same(operations[at], _list.Remove(operations[at].Ticket));
            Assert.Null(_list.Remove(operations[at].Ticket));
            Assert.Null(_list.Find(operations[at].Ticket));
            Assert.Null(operations[at].NextInInode);

            // The tail is right as well: what is added next comes last.
            Operation added = New(OperationKind.Write, 99);
            _list.Add(added);
            var left = new List<Operation>();
            while (_list.TakeFirst() is { } operation)
            {
                left.Add(operation);
            }

            Assert.Equal([.. operations.Where(operation => operation != operations[at]), added], left);
        }
    }

    [Fact]
    public void Remove_TheOnlyOne_LeavesAnEmptyListThatCanBeUsed()
    {
        Operation only = Fill(1)[0];
        Assert.Same(only, _list.Remove(only.Ticket));
        Assert.True(_list.IsEmpty);
        _list.Add(only);
        Assert.Same(only, _list.TakeFirst());
    }

    [Fact]
    public void HasAndFind_LookThroughTheWholeList()
    {
        Assert.False(_list.Has(OperationKind.Load));
        Operation[] operations = Fill(3);
        Assert.False(_list.Has(OperationKind.Load));
        Operation load = New(OperationKind.Load, 50);
        _list.Add(load);
        Assert.True(_list.Has(OperationKind.Load));
        Assert.Same(load, _list.Find(50));
        Assert.Same(operations[1], _list.Find(operations[1].Ticket));
        Assert.Null(_list.Find(1_000));
    }

    private Operation[] Fill(int count)
    {
        Operation[] operations = [.. Enumerable.Range(1, count).Select(i => New(OperationKind.Read, i))];
        foreach (Operation operation in operations)
        {
            _list.Add(operation);
        }

        return operations;
    }

    private Operation New(OperationKind kind, long ticket) => Operations.Prepared(_pool, kind, ticket);
}

public sealed class OperationLedgerTests
{
    private readonly OperationPool _pool = new(static _ => { });

    [Fact]
    public void TryAdd_AtTheBound_IsRefusedUntilOneLeaves()
    {
        var ledger = new OperationLedger(2);
        Operation first = New(1, deadline: 10);
        Assert.True(ledger.TryAdd(first));
        Assert.True(ledger.TryAdd(New(2, deadline: 20)));
        Operation third = New(3, deadline: 30);
        Assert.False(ledger.TryAdd(third));
        Assert.Equal(2, ledger.Count);
        ledger.Remove(first);
        Assert.True(ledger.TryAdd(third));
        Assert.Equal(2, ledger.Count);
    }

    [Fact]
    public void TryPeekOldest_WhateverIsRemoved_IsTheOldestLeft()
    {
        int seed = Crew.NewSeed();
        var random = new Random(seed);
        var ledger = new OperationLedger(int.MaxValue);
        var expected = new List<Operation>();
        for (int i = 1; i <= 2_000; i++)
        {
            if (expected.Count == 0 || random.Next(5) < 3)
            {
                Operation operation = New(i, deadline: 100 + i);
                Assert.True(ledger.TryAdd(operation));
                expected.Add(operation);
            }
            else
            {
                int at = random.Next(expected.Count);
                ledger.Remove(expected[at]);
                expected.RemoveAt(at);
            }

            bool any = ledger.TryPeekOldest(out Inode? inode, out long ticket, out long deadline);
            Assert.True(any == (expected.Count > 0) && ledger.Count == expected.Count, $"seed {seed}, step {i}");
            if (any)
            {
                Assert.True(
                    ticket == expected[0].Ticket && deadline == expected[0].Deadline && ReferenceEquals(inode, expected[0].Inode),
                    $"seed {seed}, step {i}");
            }
        }

        Assert.Equal(expected.Select(operation => operation.Inode), ledger.SnapshotInodes());
    }

    [Fact]
    public void NextTicket_FromManyThreads_IsNeverGivenTwice()
    {
        var ledger = new OperationLedger(1);
        long[][] tickets = new long[4][];
        Crew.Run(4, member => tickets[member] = [.. Enumerable.Range(0, 20_000).Select(_ => ledger.NextTicket())]);
        Assert.Equal(80_000, tickets.SelectMany(mine => mine).Distinct().Count());
        Assert.DoesNotContain(0, tickets.SelectMany(mine => mine));
        Assert.All(tickets, mine => Assert.Equal(mine.Order(), mine));
    }

    private Operation New(long ticket, long deadline) => Operations.Prepared(_pool, OperationKind.Read, ticket, deadline);
}

public sealed class OperationPoolTests
{
    private readonly OperationPool _pool = new(static _ => { });

    [Fact]
    public async Task LetGo_CallerThenList_IsReusedOnlyAfterTheLast()
    {
        Operation operation = Operations.Prepared(_pool, OperationKind.Read, 1);
        ValueTask<OperationResult> wait = operation.Task;
        Assert.True(operation.TryClaim());
        Assert.False(operation.TryClaim());
        operation.Complete(new OperationResult(OperationStatus.Absent, Version: 5));
        Assert.Equal(5, (await wait).Version);
        AssertNotFree(operation);
        operation.Unlisted();
        Assert.Same(operation, _pool.Rent());
    }

    [Fact]
    public async Task LetGo_OutboxIsTheLast_IsReusedOnlyAfterIt()
    {
        var outbox = new Outbox(1);
        Operation operation = Operations.Prepared(_pool, OperationKind.Write, 1);
        outbox.Append(operation, 0);
        ValueTask<OperationResult> wait = operation.Task;
        operation.Complete(new OperationResult(OperationStatus.Canceled));
        _ = await wait;
        operation.Unlisted();
        AssertNotFree(operation);

        Assert.True(outbox.TryTake(out OutboxEntry? taken));
        Assert.Same(operation, taken);
        Assert.False(taken!.TryBuild(new Sending(new Session(new FlushLedger(1)), null!, outbox, 0), out ClientMessage _));
        Assert.Same(operation, _pool.Rent());
    }

    [Fact]
    public async Task Rent_AfterReuse_IsBlankAndTheOldWaitIsOver()
    {
        Operation operation = Operations.Prepared(_pool, OperationKind.Write, 1, payload: Payload.OfReference("old"));
        ValueTask<OperationResult> wait = operation.Task;
        operation.Result = new OperationResult(OperationStatus.Written);
        operation.Complete(operation.Result);
        _ = await wait;
        operation.Unlisted();
        Operation again = _pool.Rent();
        Assert.Same(operation, again);
        Assert.Equal(PayloadKind.None, again.Change.Payload.Kind);
        Assert.Equal(OperationStatus.Pending, again.Result.Status);
        again.Prepare(OperationKind.Read, operation.Inode, 2, 0, default);
        Assert.True(again.TryClaim());
        Assert.False(again.Task.IsCompleted);
    }

    [Fact]
    public void Discard_NeverHandedOut_ReturnsAtOnce()
    {
        Operation operation = Operations.Prepared(_pool, OperationKind.Read, 1);
        operation.Discard();
        Assert.Same(operation, _pool.Rent());
    }

    [Fact]
    public async Task CancelOn_TokenFires_TellsThePoolOnce()
    {
        var canceled = new List<Operation>();
        var pool = new OperationPool(canceled.Add);
        Operation operation = Operations.Prepared(pool, OperationKind.Read, 1);
        using var source = new CancellationTokenSource();
        operation.CancelOn(source.Token);
        ValueTask<OperationResult> wait = operation.Task;
        await source.CancelAsync();
        Assert.Equal([operation], canceled);
        operation.Complete(new OperationResult(OperationStatus.Canceled));
        Assert.Equal(OperationStatus.Canceled, (await wait).Status);
    }

    [Fact]
    public async Task CancelOn_AnsweredFirst_TokenIsForgotten()
    {
        var canceled = new List<Operation>();
        var pool = new OperationPool(canceled.Add);
        Operation operation = Operations.Prepared(pool, OperationKind.Read, 1);
        using var source = new CancellationTokenSource();
        operation.CancelOn(source.Token);
        ValueTask<OperationResult> wait = operation.Task;
        operation.Complete(new OperationResult(OperationStatus.Absent));
        _ = await wait;
        operation.Unlisted();
        Operation again = pool.Rent();
        Assert.Same(operation, again);
        await source.CancelAsync();
        Assert.Empty(canceled);
    }

    [Fact]
    public void Return_MoreThanTheSpares_KeepsOnlySoMany()
    {
        Operation[] operations = [.. Enumerable.Range(0, OperationPool.MaxSpares + 5).Select(i => Operations.Prepared(_pool, OperationKind.Read, i))];
        foreach (Operation operation in operations)
        {
            operation.Discard();
        }

        var known = new HashSet<Operation>(operations);
        Assert.Equal(OperationPool.MaxSpares, Enumerable.Range(0, operations.Length).Count(_ => known.Contains(_pool.Rent())));
    }

    private void AssertNotFree(Operation operation)
    {
        Operation other = _pool.Rent();
        Assert.NotSame(operation, other);
    }
}

/// <summary>Operations as the engine would have prepared them.</summary>
internal static class Operations
{
    public static Operation Prepared(
        OperationPool pool, OperationKind kind, long ticket, long deadline = 0, Payload payload = default)
    {
        Operation operation = pool.Rent();
        var inode = new Inode<int, string>();
        inode.Name((int)ticket, (ulong)ticket);
        operation.Prepare(kind, inode, ticket, deadline, new Change { Payload = payload });
        return operation;
    }
}
