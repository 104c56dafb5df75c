using System.Globalization;

namespace CacheEngine.Core.Tests.Caps;

public class CapSetTests
{
    [Theory]
    [Rule("BIT-1", "STR-2")]
    [InlineData(nameof(CapSet.None), 0x0000, "-")]
    [InlineData(nameof(CapSet.Pin), 0x0001, "p")]
    [InlineData(nameof(CapSet.AuthShared), 0x0004, "As")]
    [InlineData(nameof(CapSet.AuthExcl), 0x0008, "Ax")]
    [InlineData(nameof(CapSet.LinkShared), 0x0010, "Ls")]
    [InlineData(nameof(CapSet.LinkExcl), 0x0020, "Lx")]
    [InlineData(nameof(CapSet.XattrShared), 0x0040, "Xs")]
    [InlineData(nameof(CapSet.XattrExcl), 0x0080, "Xx")]
    [InlineData(nameof(CapSet.FileShared), 0x0100, "Fs")]
    [InlineData(nameof(CapSet.FileExcl), 0x0200, "Fx")]
    [InlineData(nameof(CapSet.FileCache), 0x0400, "Fc")]
    [InlineData(nameof(CapSet.FileRead), 0x0800, "Fr")]
    [InlineData(nameof(CapSet.FileWrite), 0x1000, "Fw")]
    [InlineData(nameof(CapSet.FileBuffer), 0x2000, "Fb")]
    [InlineData(nameof(CapSet.FileWriteExtend), 0x4000, "Fa")]
    [InlineData(nameof(CapSet.FileLazyIO), 0x8000, "Fl")]
    public void Bit_HasCephsValueAndLetter(string name, uint bits, string text)
    {
        CapSet caps = Named(name);

        Assert.Equal(bits, caps.Bits);
        Assert.Equal(text, caps.ToString());
    }

    [Theory]
    [Rule("BIT-4")]
    [InlineData(nameof(CapSet.AnyShared), 0x0154, "AsLsXsFs")]
    [InlineData(nameof(CapSet.AnyRead), 0x0D54, "AsLsXsFscr")]
    [InlineData(nameof(CapSet.AnyFileRead), 0x0D00, "Fscr")]
    [InlineData(nameof(CapSet.AnyExcl), 0x02A8, "AxLxXxFx")]
    [InlineData(nameof(CapSet.AnyFileWrite), 0x3200, "Fxwb")]
    [InlineData(nameof(CapSet.AnyWrite), 0x32A8, "AxLxXxFxwb")]
    [InlineData(nameof(CapSet.Any), 0xBFFD, "pAsxLsxXsxFsxcrwbl")]
    public void Mask_HasCephsValue(string name, uint bits, string text)
    {
        Assert.Equal(bits, Named(name).Bits);
        Assert.Equal(text, Named(name).ToString());
    }

    [Theory]
    [Rule("BIT-2")]
    [InlineData("A", "sx", 2)]
    [InlineData("L", "sx", 4)]
    [InlineData("X", "sx", 6)]
    [InlineData("F", "sxcrwbal", 8)]
    public void Group_HoldsTheGenericBitsAtItsShift(string group, string letters, int shift)
    {
        for (int bit = 0; bit < letters.Length; bit++)
        {
            Assert.Equal(1u << (shift + bit), Literals.Cap($"{group}{letters[bit]}").Bits);
        }
    }

    [Theory]
    [Rule("STR-1", "STR-3", "STR-4")]
    [InlineData(0x0002, "-")]
    [InlineData(0x0003, "p")]
    [InlineData(0x10000, "F")]
    [InlineData(0x10001, "pF")]
    [InlineData(0x10400, "Fc")]
    [InlineData(0xFFFF0000, "F")]
    [InlineData(0x3FDD, "pAsxLsXsxFsxcrwb")]
    [InlineData(0x0D55, "pAsLsXsFscr")]
    [InlineData(0xFFFFFFFF, "pAsxLsxXsxFsxcrwbal")]
    public void ToString_UnusedAndLetterlessBits_NameNothing(uint bits, string text) =>
        Assert.Equal(text, CapSet.FromBits(bits).ToString());

    [Theory]
    [Rule("STR-5")]
    [InlineData("F", 0x0000)]
    [InlineData("pF", 0x0001)]
    [InlineData("AsF", 0x0004)]
    public void Parse_BareFileGroup_NamesNoBit(string text, uint bits) => Assert.Equal(bits, Literals.Cap(text).Bits);

    [Theory]
    [Rule("STR-5")]
    [InlineData("")]
    [InlineData("A")]
    [InlineData("L")]
    [InlineData("X")]
    [InlineData("pA")]
    [InlineData("AF")]
    [InlineData("AXs")]
    [InlineData("Axs")]
    [InlineData("Fcs")]
    [InlineData("Fla")]
    [InlineData("Fss")]
    [InlineData("LsAs")]
    [InlineData("FsAs")]
    [InlineData("AsAx")]
    [InlineData("Asp")]
    [InlineData("pp")]
    [InlineData("p-")]
    [InlineData("-p")]
    [InlineData("--")]
    [InlineData("Ac")]
    [InlineData("Lr")]
    [InlineData("Xw")]
    [InlineData("Fz")]
    [InlineData("Gs")]
    [InlineData("s")]
    [InlineData("P")]
    [InlineData("fs")]
    [InlineData("FS")]
    [InlineData(" p")]
    [InlineData("p ")]
    [InlineData("As Ls")]
    public void Parse_AnythingElse_IsRefused(string text)
    {
        Assert.False(CapSet.TryParse(text, null, out CapSet caps));
        Assert.True(caps.IsEmpty);
        FormatException refused = Assert.Throws<FormatException>(() => CapSet.Parse(text));
        Assert.Contains($"'{text}'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Null_IsRefused()
    {
        Assert.False(CapSet.TryParse(null, null, out _));
        Assert.Throws<ArgumentNullException>(() => CapSet.Parse(null!));
    }

    [Fact]
    [Rule("STR-6")]
    public void TryFormat_ShortDestination_IsRefusedAndWritesNoLength()
    {
        CapSet caps = Literals.Cap("pAsxFscr");
        Span<char> destination = stackalloc char["pAsxFscr".Length];

        for (int length = 0; length < destination.Length; length++)
        {
            Assert.False(caps.TryFormat(destination[..length], out int none, default, null));
            Assert.Equal(0, none);
        }

        Assert.True(caps.TryFormat(destination, out int written, default, null));
        Assert.Equal("pAsxFscr", destination[..written].ToString());
    }

    [Fact]
    [Rule("STR-6")]
    public void ToString_FormatAndProvider_ChangeNothing()
    {
        CapSet caps = Literals.Cap("pFscr");

        Assert.Equal("pFscr", caps.ToString("X", CultureInfo.InvariantCulture));
        Assert.Equal("pFscr", string.Create(CultureInfo.InvariantCulture, $"{caps:N2}"));
    }

    [Fact]
    public void MaxFormattedLength_IsTheLengthOfTheLongestForm() =>
        Assert.Equal(CapSet.MaxFormattedLength, CapSet.FromBits(uint.MaxValue).ToString().Length);

    [Fact]
    public void Equals_OnlyASetOfTheSameBits()
    {
        CapSet caps = Literals.Cap("pFs");

        Assert.True(caps.Equals((object)Literals.Cap("pFs")));
        Assert.False(caps.Equals((object)Literals.Cap("pFr")));
        Assert.False(caps.Equals((object)caps.Bits));
        Assert.Equal(caps.GetHashCode(), Literals.Cap("pFs").GetHashCode());
    }

    private static CapSet Named(string name) => (CapSet)typeof(CapSet).GetProperty(name)!.GetValue(null)!;
}
