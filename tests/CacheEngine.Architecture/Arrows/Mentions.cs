#pragma warning disable CA1822 // What this type does is of no interest, only what it mentions.
namespace CacheEngine.Architecture.Arrows;

/// <summary>Mentions one type in each way that there is, and <see cref="InDocumentationOnly"/> where it does not count.</summary>
[InAttribute]
internal sealed class Mentions : InBase, IInInterfaces
{
    public List<InField> Field = [];

    public InSignature? Signature(int at) => at > 0 ? null : throw new ArgumentOutOfRangeException(nameof(at));

    public T Constrained<T>(T value)
        where T : InConstraint => value;

    public int Body(object given, int choice)
    {
        try
        {
            // A switch and constants of all sizes: the reader must step over their operands.
            double sum = choice switch { 0 => 1.5, 1 => 2.5f, 2 => 3L << 40, 3 => 70_000, 4 => choice << 3, _ => 0 };
            InCall.Call();
            InGenericCall[] none = Array.Empty<InGenericCall>();
            var cast = (InCast)given;
            Type type = typeof(InTypeOf);
            var array = new InArray<int>[InStaticField.Value];
            Func<bool> lambda = () => given is InLambda;
            return none.Length + array.Length + (int)sum + (lambda() ? 1 : 0) + type.Name.Length + (cast is null ? 1 : 0);
        }
        catch (InCatch)
        {
            return 0;
        }
    }

    public async Task<bool> LaterAsync(object given)
    {
        await Task.Yield();
        return given is InStateMachine;
    }

    internal sealed class Nested
    {
        public InNestedType Field = new();
    }
}

internal class InBase;

internal interface IInInterfaces;

internal class InConstraint;

internal class InField;

internal class InSignature;

internal class InNestedType;

[AttributeUsage(AttributeTargets.Class)]
internal sealed class InAttribute : Attribute;

internal static class InCall
{
    public static void Call()
    {
    }
}

internal class InGenericCall;

internal static class InStaticField
{
    public static readonly int Value = Environment.ProcessorCount;
}

internal class InCast;

internal class InTypeOf;

internal class InArray<T>;

internal class InCatch : Exception;

internal class InLambda;

internal class InStateMachine;

internal class InDocumentationOnly;
