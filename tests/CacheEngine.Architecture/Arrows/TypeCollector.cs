using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace CacheEngine.Architecture.Arrows;

/// <summary>
/// Collects every type that a handle or signature of one assembly mentions, down to generic arguments.
/// </summary>
/// <remarks>
/// A signature provider is meant to build a description; this one only takes notes, so what it returns is of no interest. A member that is called or
/// read counts as its declaring type and its generic arguments: the types of its own signature are references of the declaring type.
/// </remarks>
internal sealed class TypeCollector(MetadataReader reader) : ISignatureTypeProvider<Noted, Noted>
{
    private readonly string _assembly = reader.GetString(reader.GetAssemblyDefinition().Name);

    /// <summary>What has been found since it was last cleared.</summary>
    public HashSet<TypeName> Found { get; } = [];

    /// <summary>Notes what a token of an instruction, a base type or a parent stands for.</summary>
    public void Note(EntityHandle handle)
    {
        if (handle.IsNil)
        {
            return;
        }

        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                Found.Add(NameOf((TypeDefinitionHandle)handle));
                break;
            case HandleKind.TypeReference:
                Found.Add(NameOf((TypeReferenceHandle)handle));
                break;
            case HandleKind.TypeSpecification:
                reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, default);
                break;
            case HandleKind.MethodDefinition:
                Note(reader.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.FieldDefinition:
                Note(reader.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                Note(reader.GetMemberReference((MemberReferenceHandle)handle).Parent);
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification instance = reader.GetMethodSpecification((MethodSpecificationHandle)handle);
                Note(instance.Method);
                instance.DecodeSignature(this, default);
                break;
            case HandleKind.StandaloneSignature:
                NoteStandalone(reader.GetStandaloneSignature((StandaloneSignatureHandle)handle));
                break;
            default:
                throw new NotSupportedException($"A reference by {handle.Kind} is not understood.");
        }
    }

    /// <summary>The outermost type around a definition.</summary>
    public TypeName NameOf(TypeDefinitionHandle handle)
    {
        TypeDefinition type = reader.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil)
        {
            type = reader.GetTypeDefinition(type.GetDeclaringType());
        }

        return new TypeName(_assembly, reader.GetString(type.Namespace), reader.GetString(type.Name));
    }

    private TypeName NameOf(TypeReferenceHandle handle)
    {
        TypeReference type = reader.GetTypeReference(handle);
        while (type.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            type = reader.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
        }

        string assembly = type.ResolutionScope.Kind == HandleKind.AssemblyReference
            ? reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name)
            : _assembly;
        return new TypeName(assembly, reader.GetString(type.Namespace), reader.GetString(type.Name));
    }

    private void NoteStandalone(StandaloneSignature signature)
    {
        if (signature.GetKind() == StandaloneSignatureKind.LocalVariables)
        {
            signature.DecodeLocalSignature(this, default);
        }
        else
        {
            signature.DecodeMethodSignature(this, default);
        }
    }

    public Noted GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
    {
        Found.Add(NameOf(handle));
        return default;
    }

    public Noted GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        Found.Add(NameOf(handle));
        return default;
    }

    public Noted GetTypeFromSpecification(MetadataReader reader, Noted genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    // What follows adds nothing: the parts of a composed type have been noted before it is.
    public Noted GetArrayType(Noted elementType, ArrayShape shape) => default;

    public Noted GetByReferenceType(Noted elementType) => default;

    public Noted GetFunctionPointerType(MethodSignature<Noted> signature) => default;

    public Noted GetGenericInstantiation(Noted genericType, ImmutableArray<Noted> typeArguments) => default;

    public Noted GetGenericMethodParameter(Noted genericContext, int index) => default;

    public Noted GetGenericTypeParameter(Noted genericContext, int index) => default;

    public Noted GetModifiedType(Noted modifier, Noted unmodifiedType, bool isRequired) => default;

    public Noted GetPinnedType(Noted elementType) => default;

    public Noted GetPointerType(Noted elementType) => default;

    public Noted GetPrimitiveType(PrimitiveTypeCode typeCode) => default;

    public Noted GetSZArrayType(Noted elementType) => default;
}

/// <summary>Nothing: what a provider that only takes notes returns.</summary>
internal readonly record struct Noted;
