using System.Reflection;
using System.Runtime.CompilerServices;

namespace CacheEngine.Architecture.Shape;

/// <summary>Writes the public face down: one sorted line for each public or protected type and member.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> Describe(IEnumerable<Assembly> assemblies) =>
        assemblies.SelectMany(static assembly => assembly.GetTypes())
            .Where(IsVisible)
            .SelectMany(DescribeType)
            .Distinct()
            .Order(StringComparer.Ordinal);

    private static bool IsVisible(Type type) =>
        type.IsPublic || ((type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!));

    private static bool IsVisible(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    private static IEnumerable<string> DescribeType(Type type)
    {
        string name = TypeText.Name(type);
        yield return $"{name} : {Kind(type)}{Bases(type)}{TypeText.Constraints(type.GetGenericArguments())}";
        foreach (FieldInfo field in type.GetFields(Declared))
        {
            if ((field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName)
            {
                string value = field.IsLiteral ? $" = {TypeText.Value(field.GetRawConstantValue())}" : "";
                yield return $"{name}.{field.Name} : {Modifiers(field)}{(type.IsEnum ? "value" : TypeText.Of(field))}{value}";
            }
        }

        foreach (PropertyInfo property in type.GetProperties(Declared))
        {
            if (IsVisible(property.GetMethod) || IsVisible(property.SetMethod))
            {
                MethodInfo lead = (IsVisible(property.GetMethod) ? property.GetMethod : property.SetMethod)!;
                yield return $"{name}.{property.Name} {{{Accessors(property)}}} : {Modifiers(lead)}{Required(property)}{TypeText.Of(property)}";
            }
        }

        foreach (MethodBase method in type.GetMembers(Declared).OfType<MethodBase>())
        {
            if (IsVisible(method) && !IsAccessor(method) && method.Name != "<Clone>$")
            {
                string returned = method is MethodInfo info ? TypeText.Of(info.ReturnParameter) : "constructor";
                yield return $"{name}.{TypeText.Signature(method)} : {Modifiers(method)}{returned}";
            }
        }
    }

    private static string Kind(Type type) =>
        type.IsInterface ? "interface"
        : type.IsEnum ? "enum"
        : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : type.IsValueType ? (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly struct" : "struct")
        : type is { IsAbstract: true, IsSealed: true } ? "static class"
        : type.IsSealed ? "sealed class"
        : type.IsAbstract ? "abstract class"
        : "class";

    private static string Bases(Type type)
    {
        IEnumerable<Type> bases = type.BaseType is { } parent && parent != typeof(object) && !type.IsValueType ? [parent] : [];
        string text = type.IsEnum ? "" : string.Join(", ", bases.Concat(type.GetInterfaces().Where(IsVisible)).Select(TypeText.Name).Order(StringComparer.Ordinal));
        return text.Length == 0 ? "" : $" ({text})";
    }

    private static bool IsAccessor(MethodBase method) =>
        method.IsSpecialName && !method.IsConstructor && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    private static string Accessors(PropertyInfo property)
    {
        IEnumerable<string?> accessors =
        [
            IsVisible(property.GetMethod) ? " get;" : null,
            !IsVisible(property.SetMethod) ? null
                : property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;",
        ];
        return string.Concat(accessors) + " ";
    }

    private static string Required(PropertyInfo property) => property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";

    private static string Modifiers(FieldInfo field) =>
        (field.IsPublic ? "" : "protected ") + (field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : ""));

    private static string Modifiers(MethodBase method) =>
        (method.IsPublic ? "" : "protected ")
        + (method.IsStatic ? "static " : "")
        + (method.DeclaringType!.IsInterface || !method.IsVirtual ? ""
            : method is MethodInfo info && info.GetBaseDefinition() != info ? "override "
            : method.IsAbstract ? "abstract "
            : method.IsFinal ? ""
            : "virtual ");
}
