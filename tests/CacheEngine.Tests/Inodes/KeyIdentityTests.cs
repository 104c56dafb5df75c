using System.Text;
using CacheEngine.Inodes;

namespace CacheEngine.Tests.Inodes;

public sealed class KeyIdentityTests
{
    private const ulong Seed = 0x5EED;

    [Fact]
    public void Text_EqualAndDifferentKeys()
    {
        string[] keys =
        [
            "", "\0", "\0\0", " ", "a", "A", "b", "aa", "ab", "ba", "ä", "a\u0308", "\u00e9", "e\u0301", "\ud800", "\udc00", "\ud800\udc00",
            "\udc00\ud800", "\ufffd", "user:1", "user:10", "user:01", new string('x', 15), new string('x', 16), new string('x', 17),
            new string('x', 2_047), new string('x', 2_048),
        ];
        AssertInjective(keys, static key => new string(key.AsSpan()));
        Assert.True(new KeyIdentity<string>(KeyCodec.For<string>(), Seed).IsOrdinalText);
    }

    [Fact]
    public void Int32_EqualAndDifferentKeys() => AssertInjective([0, 1, -1, int.MinValue, int.MaxValue, 256, 65_536], static key => key);

    [Fact]
    public void UInt32_EqualAndDifferentKeys() => AssertInjective([0u, 1u, uint.MaxValue, 256u, 0x80000000u], static key => key);

    [Fact]
    public void Int64_EqualAndDifferentKeys() =>
        AssertInjective([0L, 1L, -1L, long.MinValue, long.MaxValue, 1L << 32, int.MinValue, uint.MaxValue], static key => key);

    [Fact]
    public void UInt64_EqualAndDifferentKeys() => AssertInjective([0ul, 1ul, ulong.MaxValue, 1ul << 32, 1ul << 63], static key => key);

    [Fact]
    public void Int16_EqualAndDifferentKeys() => AssertInjective<short>([0, 1, -1, short.MinValue, short.MaxValue, 256], static key => key);

    [Fact]
    public void Guid_EqualAndDifferentKeys() =>
        AssertInjective(
            [
                Guid.Empty,
                Guid.AllBitsSet,
                new Guid("01020304-0506-0708-090a-0b0c0d0e0f10"),
                new Guid("04030201-0605-0807-090a-0b0c0d0e0f10"),
                new Guid("01020304-0506-0708-090a-0b0c0d0e0f11"),
            ],
            static key => new Guid(key.ToByteArray()));

    [Fact]
    public void Guid_BytesAreInTheOrderOfItsText() =>
        Assert.Equal(
            Enumerable.Range(1, 16).Select(i => (byte)i),
            new KeyIdentity<Guid>(KeyCodec.For<Guid>(), Seed).Encode(new Guid("01020304-0506-0708-090a-0b0c0d0e0f10")));

    [Fact]
    public void Bytes_EqualAndDifferentKeys() =>
        AssertInjective<byte[]>([[0], [0, 0], [1], [1, 0], [0, 1], new byte[4_096]], static key => [.. key]);

    [Fact]
    public void Bytes_Empty_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new KeyIdentity<byte[]>(KeyCodec.For<byte[]>(), Seed).Encode([]));

    [Fact]
    public void For_NoBuiltIn_IsNotSupported() => Assert.Throws<NotSupportedException>(() => KeyCodec.For<DateTime>());

    [Fact]
    public void CustomCodec_FoldsCase_TwoSpellingsAreOneKey()
    {
        var identity = new KeyIdentity<string>(new FoldingCodec(), Seed);
        Assert.False(identity.IsOrdinalText);
        foreach (string text in new[] { "Straße", "user", new string('q', 300), "I" })
        {
            string other = text.ToUpperInvariant();
            Assert.True(identity.Same(text, other));
            Assert.Equal(identity.Hash(text), identity.Hash(other));
            Assert.Equal(identity.Encode(text), identity.Encode(other));
        }

        Assert.False(identity.Same("user", "used"));
        Assert.NotEqual(identity.Hash("user"), identity.Hash("used"));
        Assert.False(identity.Same("user", "users"));
    }

    [Fact]
    public void CustomCodec_OverAnInteger_IsAskedInsteadOfTheBuiltInForm()
    {
        var identity = new KeyIdentity<int>(new LastDigitCodec(), Seed);
        Assert.True(identity.Same(17, 27));
        Assert.Equal(identity.Hash(17), identity.Hash(27));
        Assert.False(identity.Same(17, 18));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(KeyCodec.MaxKeyBytes + 1)]
    [InlineData(int.MaxValue)]
    public void CustomCodec_LengthOutOfRange_IsRefusedNamingTheRuleAndTheCodec(int length)
    {
        var identity = new KeyIdentity<int>(new OddCodec(length), Seed);
        foreach (Action use in new Action[] { () => identity.Hash(1), () => identity.Same(1, 2), () => identity.Encode(1) })
        {
            ArgumentException refused = Assert.Throws<ArgumentException>(use);
            Assert.Contains("1 to 4096 bytes", refused.Message, StringComparison.Ordinal);
            Assert.Contains("'odd'", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void CustomCodec_Throws_IsRefusedNamingTheCodecWithTheCauseInside()
    {
        foreach (OddCodec codec in new[] { new OddCodec(4) { Fails = true }, new OddCodec(4) { FailsToMeasure = true } })
        {
            var identity = new KeyIdentity<int>(codec, Seed);
            foreach (Action use in new Action[] { () => identity.Hash(1), () => identity.Same(1, 2), () => identity.Encode(1) })
            {
                ArgumentException refused = Assert.Throws<ArgumentException>(use);
                Assert.Contains("'odd'", refused.Message, StringComparison.Ordinal);
                Assert.IsType<FormatException>(refused.InnerException);
            }
        }
    }

    [Fact]
    public void CustomCodec_LongestKey_IsTaken()
    {
        var identity = new KeyIdentity<int>(new OddCodec(KeyCodec.MaxKeyBytes), Seed);
        Assert.Equal(KeyCodec.MaxKeyBytes, identity.Encode(1).Length);
        Assert.True(identity.Same(1, 1));
        Assert.False(identity.Same(1, 2));
        Assert.NotEqual(identity.Hash(1), identity.Hash(2));
    }

    [Fact]
    public void CustomCodec_LeavesBytesUnwritten_EqualKeysStayEqual()
    {
        // A codec must write all it announced; one that does not is caught by nobody, but must not read another key's leftovers as its own.
        var identity = new KeyIdentity<int>(new OddCodec(300) { WritesNothing = true }, Seed);
        Assert.Equal(new byte[300], identity.Encode(1));
    }

    private static void AssertInjective<TKey>(TKey[] keys, Func<TKey, TKey> copy)
        where TKey : notnull
    {
        var identity = new KeyIdentity<TKey>(KeyCodec.For<TKey>(), Seed);
        for (int i = 0; i < keys.Length; i++)
        {
            for (int j = 0; j < keys.Length; j++)
            {
                TKey left = keys[i];
                TKey right = copy(keys[j]);
                bool same = identity.Encode(left).AsSpan().SequenceEqual(identity.Encode(right));
                Assert.True(same == (i == j), $"bytes of key {i} and key {j}");
                Assert.True(identity.Same(left, right) == same, $"same of key {i} and key {j}");
                Assert.True((identity.Hash(left) == identity.Hash(right)) == same, $"hash of key {i} and key {j}");
            }
        }
    }

    private sealed class FoldingCodec : IKeyCodec<string>
    {
        public string Name => "folding";

        public int GetByteCount(string key) => Encoding.UTF8.GetByteCount(key.ToUpperInvariant());

        public void Encode(string key, Span<byte> destination) => Encoding.UTF8.GetBytes(key.ToUpperInvariant(), destination);
    }

    private sealed class LastDigitCodec : IKeyCodec<int>
    {
        public string Name => "last-digit";

        public int GetByteCount(int key) => 1;

        public void Encode(int key, Span<byte> destination) => destination[0] = (byte)(key % 10);
    }

    private sealed class OddCodec(int length) : IKeyCodec<int>
    {
        public string Name => "odd";

        public bool Fails { get; init; }

        public bool FailsToMeasure { get; init; }

        public bool WritesNothing { get; init; }

        public int GetByteCount(int key) => FailsToMeasure ? throw new FormatException() : length;

        public void Encode(int key, Span<byte> destination)
        {
            if (Fails)
            {
                throw new FormatException();
            }

            if (!WritesNothing)
            {
                destination.Fill((byte)key);
            }
        }
    }
}
