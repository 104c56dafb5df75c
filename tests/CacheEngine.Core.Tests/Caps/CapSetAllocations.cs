#if !DEBUG // What an unoptimised build allocates says nothing.
namespace CacheEngine.Core.Tests.Caps;

public class CapSetAllocations
{
    [Fact]
    [Rule("STR-6")]
    public void TryFormatAndTryParse_AllocateNothing()
    {
        Span<char> text = stackalloc char[CapSet.MaxFormattedLength];
        _ = FormatAndParse(text);
        long before = GC.GetAllocatedBytesForCurrentThread();

        uint sum = FormatAndParse(text);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotEqual(0u, sum);
    }

    private static uint FormatAndParse(Span<char> text)
    {
        uint sum = 0;
        for (uint bits = 0; bits < 1_000; bits++)
        {
            _ = CapSet.FromBits(bits * 65).TryFormat(text, out int written, default, null);
            _ = CapSet.TryParse(text[..written], null, out CapSet caps);
            sum += caps.Bits;
        }

        return sum;
    }
}
#endif
