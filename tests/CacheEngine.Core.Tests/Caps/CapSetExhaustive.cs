using System.Text;

namespace CacheEngine.Core.Tests.Caps;

public class CapSetExhaustive
{
    private static readonly (char Group, string Letters, uint[] Bits)[] Table =
    [
        ('A', "sx", [0x4, 0x8]),
        ('L', "sx", [0x10, 0x20]),
        ('X', "sx", [0x40, 0x80]),
        ('F', "sxcrwbal", [0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000]),
    ];

    [Fact]
    [Rule("STR-1", "STR-2", "STR-4", "STR-5")]
    public void EverySet_PrintsByTheTableAndReadsBack()
    {
        for (uint bits = 0; bits <= 0xFFFF; bits++)
        {
            string text = CapSet.FromBits(bits).ToString();

            Assert.Equal(ByTheTable(bits), text);
            Assert.Equal(bits & ~2u, CapSet.Parse(text).Bits);
        }
    }

    [Fact]
    [Rule("STR-5")]
    public void EveryShortText_IsReadOnlyIfItIsHowItsSetPrints()
    {
        const string Letters = "-pALXFsxcrwbalz";
        foreach (char first in Letters)
        {
            foreach (char second in Letters)
            {
                foreach (char third in Letters)
                {
                    string text = $"{first}{second}{third}";
                    if (CapSet.TryParse(text, null, out CapSet caps))
                    {
                        string named = text.EndsWith('F') ? text[..^1] : text;
                        Assert.Equal(named, caps.ToString());
                    }
                }
            }
        }
    }

    private static string ByTheTable(uint bits)
    {
        var text = new StringBuilder((bits & 1) != 0 ? "p" : string.Empty);
        foreach ((char group, string letters, uint[] values) in Table)
        {
            string named = string.Concat(letters.Where((_, at) => (bits & values[at]) != 0));
            text.Append(named.Length > 0 ? $"{group}{named}" : string.Empty);
        }

        return text.Length > 0 ? text.ToString() : "-";
    }
}
