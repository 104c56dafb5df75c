using CacheEngine.Caps;

namespace CacheEngine.Core.Tests.Caps;

public class SequencesTests
{
    [Theory]
    [Rule("SEQ-1", "SEQ-2", "T21")]
    [InlineData(1, 0)]
    [InlineData(0, 0xFFFFFFFF)]
    [InlineData(5, 0xFFFFFFF0)]
    [InlineData(0x7FFFFFFF, 0)]
    [InlineData(0x80000000, 1)]
    [InlineData(0x80000000, 0x7FFFFFFF)]
    [InlineData(0xFFFFFFFF, 0xFFFFFFFE)]
    public void Newer_IsTheSignOfTheDifference(uint newer, uint older)
    {
        Assert.True(new CapSeq(newer) > new CapSeq(older));
        Assert.True(new CapSeq(newer) >= new CapSeq(older));
        Assert.True(new CapSeq(older) < new CapSeq(newer));
        Assert.True(new CapSeq(older) <= new CapSeq(newer));
        Assert.False(new CapSeq(older) > new CapSeq(newer));
        Assert.False(new CapSeq(older) >= new CapSeq(newer));
        Assert.False(new CapSeq(newer) < new CapSeq(older));
        Assert.False(new CapSeq(newer) <= new CapSeq(older));
        Assert.True(new IssueSeq(newer) > new IssueSeq(older));
        Assert.True(new IssueSeq(older) < new IssueSeq(newer));
        Assert.False(new IssueSeq(older) > new IssueSeq(newer));
        Assert.False(new IssueSeq(newer) < new IssueSeq(older));
        Assert.True(new IssueSeq(newer).IsAfter(new CapSeq(older)));
        Assert.False(new IssueSeq(older).IsAfter(new CapSeq(newer)));
    }

    [Theory]
    [Rule("SEQ-1", "T21")]
    [InlineData(0)]
    [InlineData(0x80000000)]
    [InlineData(0xFFFFFFFF)]
    public void Equal_IsNeitherNewerNorOlder(uint value)
    {
        var seq = new CapSeq(value);
        CapSeq same = seq;

        Assert.False(seq > same);
        Assert.False(seq < same);
        Assert.True(seq >= same);
        Assert.True(seq <= same);
        Assert.False(IssueSeq.At(seq) > new IssueSeq(value));
        Assert.False(IssueSeq.At(seq) < new IssueSeq(value));
        Assert.False(IssueSeq.At(seq).IsAfter(seq));
    }

    [Fact]
    [Rule("SEQ-2", "T21")]
    public void Next_StaysNewerAcrossTheWrap()
    {
        var seq = new CapSeq(uint.MaxValue - 2);
        for (int step = 0; step < 5; step++)
        {
            CapSeq next = seq.Next();
            Assert.True(next > seq);
            seq = next;
        }

        Assert.Equal(new CapSeq(2), seq);
        Assert.Equal("2", seq.ToString());
    }
}
