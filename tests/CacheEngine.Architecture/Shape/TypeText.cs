using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace CacheEngine.Architecture.Shape;

/// <summary>
/// Types and signatures as C# writes them, with what may be null. A type parameter is never marked, since whether it may be null is for its argument
/// to say; of its constraints, <c>notnull</c> is not written.
/// </summary>
internal static class TypeText
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(char)] = "char",
        [typeof(short)] = "short",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(double)] = "double",
        [typeof(float)] = "float",
        [typeof(decimal)] = "decimal",
    };

    private static readonly NullabilityInfoContext Nullability = new();

    public static string Of(FieldInfo field) => Text(field.FieldType, Nullability.Create(field));

    public static string Of(PropertyInfo property) => Text(property.PropertyType, Nullability.Create(property));

    public static string Of(ParameterInfo parameter) => Text(parameter.ParameterType, Nullability.Create(parameter));

    /// <summary>A type with no word on what may be null; our own ones with their namespace.</summary>
    public static string Name(Type type) => (type.Namespace ?? "").StartsWith("CacheEngine", StringComparison.Ordinal) && !type.IsGenericParameter
        ? $"{type.Namespace}.{Text(type, null)}"
        : Text(type, null);

    public static string Signature(MethodBase method)
    {
        string name = method.IsConstructor ? Simple(method.DeclaringType!) : method.Name;
        Type[] own = method.IsGenericMethod ? method.GetGenericArguments() : [];
        string generic = own.Length == 0 ? "" : $"<{string.Join(", ", own.Select(static type => type.Name))}>";
        string extended = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return $"{name}{generic}({extended}{string.Join(", ", method.GetParameters().Select(Parameter))}){Constraints(own)}";
    }

    /// <summary>What is asked of type arguments, and which way they vary.</summary>
    public static string Constraints(Type[] parameters) => string.Concat(parameters.Where(static type => type.IsGenericParameter).Select(static parameter =>
    {
        GenericParameterAttributes flags = parameter.GenericParameterAttributes;
        bool isStruct = flags.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        IEnumerable<string> all =
        [
            .. flags.HasFlag(GenericParameterAttributes.Contravariant) ? ["in"] : (string[])[],
            .. flags.HasFlag(GenericParameterAttributes.Covariant) ? ["out"] : (string[])[],
            .. flags.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint) ? ["class"] : (string[])[],
            .. isStruct ? ["struct"] : (string[])[],
            .. parameter.GetGenericParameterConstraints().Where(static type => type != typeof(ValueType)).Select(Name),
            .. flags.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !isStruct ? ["new()"] : (string[])[],
        ];
        string text = string.Join(", ", all);
        return text.Length == 0 ? "" : $" where {parameter.Name} : {text}";
    }));

    public static string Value(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Parameter(ParameterInfo parameter)
    {
        string way = !parameter.ParameterType.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        string preset = !parameter.HasDefaultValue ? ""
            : parameter.DefaultValue is null && parameter.ParameterType.IsValueType ? " = default"
            : $" = {Value(parameter.DefaultValue)}";
        return $"{way}{Of(parameter)} {parameter.Name}{preset}";
    }

    private static string Text(Type type, NullabilityInfo? nulls)
    {
        if (type.IsByRef)
        {
            return Text(type.GetElementType()!, nulls);
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Text(value, null) + "?";
        }

        string mark = nulls is { ReadState: NullabilityState.Nullable } or { WriteState: NullabilityState.Nullable }
            && !type.IsValueType && !type.IsGenericParameter ? "?" : "";
        return (type.IsArray ? $"{Text(type.GetElementType()!, nulls?.ElementType)}[]" : Plain(type, nulls)) + mark;
    }

    private static string Plain(Type type, NullabilityInfo? nulls)
    {
        if (Keywords.TryGetValue(type, out string? keyword))
        {
            return keyword;
        }

        string outer = type is { IsNested: true, IsGenericParameter: false } ? Simple(type.DeclaringType!) + "." : "";
        Type[] arguments = type.GetGenericArguments();
        NullabilityInfo[] inner = nulls?.GenericTypeArguments ?? [];
        return arguments.Length == 0
            ? outer + type.Name
            : $"{outer}{Simple(type)}<{string.Join(", ", arguments.Select((argument, i) => Text(argument, i < inner.Length ? inner[i] : null)))}>";
    }

    private static string Simple(Type type) => type.Name.Split('`')[0];
}
