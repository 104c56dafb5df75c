using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace CacheEngine.Architecture.Arrows;

/// <summary>
/// Reads out of a built assembly which type mentions which: declarations, signatures, attributes and every instruction of every method body.
/// </summary>
/// <remarks>A <c>using</c> line proves nothing, since a qualified name needs none; what the compiler wrote is what there is.</remarks>
internal sealed class AssemblyReferences
{
    private readonly PEReader _image;
    private readonly MetadataReader _reader;
    private readonly TypeCollector _collector;
    private readonly HashSet<Reference> _references = [];

    private AssemblyReferences(PEReader image)
    {
        _image = image;
        _reader = image.GetMetadataReader();
        _collector = new TypeCollector(_reader);
    }

    /// <summary>The references of the assembly in a file, except those of a type to itself.</summary>
    public static IReadOnlyCollection<Reference> Read(string path)
    {
        using var image = new PEReader(File.OpenRead(path));
        var references = new AssemblyReferences(image);
        foreach (TypeDefinitionHandle handle in references._reader.TypeDefinitions)
        {
            references.ReadType(handle);
        }

        return references._references;
    }

    private void ReadType(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _reader.GetTypeDefinition(handle);
        TypeName from = _collector.NameOf(handle);
        _collector.Note(type.BaseType);
        foreach (InterfaceImplementationHandle implemented in type.GetInterfaceImplementations())
        {
            _collector.Note(_reader.GetInterfaceImplementation(implemented).Interface);
        }

        NoteConstraints(type.GetGenericParameters());
        NoteAttributes(type.GetCustomAttributes());
        Book(from, "(declaration)");
        foreach (FieldDefinitionHandle at in type.GetFields())
        {
            FieldDefinition field = _reader.GetFieldDefinition(at);
            field.DecodeSignature(_collector, default);
            NoteAttributes(field.GetCustomAttributes());
            Book(from, _reader.GetString(field.Name));
        }

        foreach (PropertyDefinitionHandle at in type.GetProperties())
        {
            PropertyDefinition property = _reader.GetPropertyDefinition(at);
            property.DecodeSignature(_collector, default);
            NoteAttributes(property.GetCustomAttributes());
            Book(from, _reader.GetString(property.Name));
        }

        foreach (MethodDefinitionHandle at in type.GetMethods())
        {
            ReadMethod(from, _reader.GetString(type.Name), _reader.GetMethodDefinition(at));
        }
    }

    private void ReadMethod(TypeName from, string type, MethodDefinition method)
    {
        method.DecodeSignature(_collector, default);
        NoteConstraints(method.GetGenericParameters());
        NoteAttributes(method.GetCustomAttributes());
        if (method.RelativeVirtualAddress != 0)
        {
            MethodBodyBlock body = _image.GetMethodBody(method.RelativeVirtualAddress);
            _collector.Note(body.LocalSignature);
            foreach (ExceptionRegion region in body.ExceptionRegions)
            {
                _collector.Note(region.CatchType);
            }

            foreach (EntityHandle token in IlTokens.Read(body.GetILReader()))
            {
                _collector.Note(token);
            }
        }

        Book(from, $"{type}.{_reader.GetString(method.Name)}");
    }

    private void NoteConstraints(GenericParameterHandleCollection parameters)
    {
        foreach (GenericParameterHandle parameter in parameters)
        {
            foreach (GenericParameterConstraintHandle constraint in _reader.GetGenericParameter(parameter).GetConstraints())
            {
                _collector.Note(_reader.GetGenericParameterConstraint(constraint).Type);
            }
        }
    }

    private void NoteAttributes(CustomAttributeHandleCollection attributes)
    {
        foreach (CustomAttributeHandle attribute in attributes)
        {
            _collector.Note(_reader.GetCustomAttribute(attribute).Constructor);
        }
    }

    private void Book(TypeName from, string member)
    {
        foreach (TypeName to in _collector.Found)
        {
            if (to != from)
            {
                _references.Add(new Reference(from, member, to));
            }
        }

        _collector.Found.Clear();
    }
}
