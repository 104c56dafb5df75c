using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace CacheEngine.Inodes;

/// <summary>
/// A seeded 64-bit hash of a key's canonical bytes, for tables and shards.
/// </summary>
/// <remarks>
/// Multiply-and-fold over 16 bytes at a time, in the family of wyhash. Seeded, so that a caller who chooses keys does not choose buckets; not
/// cryptographic. The framework's string hash is not used: it is slower and differs in each process, so a simulation could not be replayed.
/// </remarks>
internal static class KeyHash
{
    private const ulong GoldenRatio = 0x9E3779B97F4A7C15;
    private const ulong First = 0xA0761D6478BD642F;
    private const ulong Second = 0xE7037ED1A0B428DB;

    /// <summary>Fibonacci hashing (Knuth): numbers in a row, as ids are, fall almost evenly apart in the high bits, so that hardly any share a bucket
    /// and a lookup's branches are foreseeable. Distinct numbers have distinct hashes. Like the framework's, it is not proof against chosen numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong OfInteger(ulong value, ulong seed) => unchecked((value + seed) * GoldenRatio);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong OfText(ReadOnlySpan<char> text, ulong seed) => OfBytes(MemoryMarshal.AsBytes(text), seed);

    public static ulong OfBytes(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ref byte start = ref MemoryMarshal.GetReference(bytes);
        nuint length = (nuint)bytes.Length;
        ulong state = seed ^ First;

        // Both factors depend on the seed, so that nobody can choose bytes that make one of them zero and the other one moot.
        ulong secret = Fold(seed ^ First, Second ^ GoldenRatio);
        ulong low;
        ulong high;
        if (length >= 16)
        {
            nuint at = 0;
            for (; at + 16 < length; at += 16)
            {
                state = Fold(Word(ref start, at) ^ secret, Word(ref start, at + 8) ^ state);
            }

            low = Word(ref start, length - 16);
            high = Word(ref start, length - 8);
        }
        else if (length >= 8)
        {
            low = Word(ref start, 0);
            high = Word(ref start, length - 8);
        }
        else if (length >= 4)
        {
            low = Half(ref start, 0);
            high = Half(ref start, length - 4);
        }
        else
        {
            low = 0;
            for (nuint i = 0; i < length; i++)
            {
                low = (low << 8) | Unsafe.Add(ref start, i);
            }

            high = 0;
        }

        return Fold(Fold(low ^ secret, high ^ state) ^ length, First);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong left, ulong right)
    {
        // The halves are asked for one by one: asked for together, x64 code passes the low one through memory.
        ulong high = Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(left, right) : Math.BigMul(left, right, out _);
        return high ^ (left * right);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(ref byte start, nuint offset) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Half(ref byte start, nuint offset) => Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, offset));
}
