namespace CacheEngine.Architecture.Arrows;

/// <summary>An outermost type: nested and compiler-generated types count as the type that they stand in.</summary>
/// <param name="Assembly">The simple name of the assembly that defines it.</param>
/// <param name="Namespace">Its namespace; empty for the global one.</param>
/// <param name="Name">Its name with the arity, as in metadata.</param>
internal readonly record struct TypeName(string Assembly, string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}.{Name}";
}

/// <summary>One type that another mentions.</summary>
/// <param name="From">The type that mentions it.</param>
/// <param name="Member">Where: a member, or what part of the declaration.</param>
/// <param name="To">The type that is mentioned.</param>
internal readonly record struct Reference(TypeName From, string Member, TypeName To);
