namespace CacheEngine.Architecture.Arrows;

/// <summary>The reader itself, on this test's own assembly: it sees every place in which a type can be mentioned.</summary>
public sealed class ReaderTests
{
    private static readonly HashSet<string> Seen =
        [.. AssemblyReferences.Read(typeof(Mentions).Assembly.Location)
            .Where(static reference => reference.From.Name == nameof(Mentions))
            .Select(static reference => reference.To.Name)];

    [Theory]
    [InlineData(nameof(InBase))]
    [InlineData(nameof(IInInterfaces))]
    [InlineData(nameof(InConstraint))]
    [InlineData(nameof(InField))]
    [InlineData(nameof(InSignature))]
    [InlineData(nameof(InNestedType))]
    [InlineData(nameof(InAttribute))]
    [InlineData(nameof(InCall))]
    [InlineData(nameof(InGenericCall))]
    [InlineData(nameof(InStaticField))]
    [InlineData(nameof(InCast))]
    [InlineData(nameof(InTypeOf))]
    [InlineData(nameof(InCatch))]
    [InlineData(nameof(InLambda))]
    [InlineData(nameof(InStateMachine))]
    [InlineData("InArray`1")]
    public void Read_TypeMentioned_IsSeen(string name) => Assert.Contains(name, Seen);

    [Fact]
    public void Read_TypeNotMentioned_IsNotSeen() => Assert.DoesNotContain(nameof(InDocumentationOnly), Seen);
}
