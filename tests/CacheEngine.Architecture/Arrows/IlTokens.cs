using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace CacheEngine.Architecture.Arrows;

/// <summary>Walks the instructions of a method body and hands out the metadata tokens that they carry.</summary>
internal static class IlTokens
{
    private const byte TwoByteMark = 0xFE;

    private static readonly Dictionary<ushort, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(static field => (OpCode)field.GetValue(null)!)
        .ToDictionary(static code => (ushort)code.Value, static code => code.OperandType);

    /// <summary>Every token that is not a string, in the order of the instructions.</summary>
    public static List<EntityHandle> Read(BlobReader il)
    {
        List<EntityHandle> tokens = [];
        while (il.RemainingBytes > 0)
        {
            ushort code = il.ReadByte();
            if (code == TwoByteMark)
            {
                code = (ushort)((code << 8) | il.ReadByte());
            }

            OperandType operand = Operands[code];
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineSig or OperandType.InlineTok or OperandType.InlineType)
            {
                tokens.Add(MetadataTokens.EntityHandle(il.ReadInt32()));
            }
            else if (operand == OperandType.InlineSwitch)
            {
                // Read first: the offset moves with it.
                int targets = il.ReadInt32();
                il.Offset += targets * sizeof(int);
            }
            else
            {
                il.Offset += SizeOf(operand);
            }
        }

        return tokens;
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineBrTarget or OperandType.InlineI or OperandType.InlineString or OperandType.ShortInlineR => 4,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => throw new NotSupportedException($"An operand of kind {operand} is not understood."),
    };
}
