namespace CacheEngine.Architecture.Shape;

/// <summary>The public face, kept as a text beside this test, so that a change of it is a line in a review.</summary>
public sealed class PublicApiTests
{
    private const string AcceptVariable = "CACHEENGINE_ACCEPT_API";

    private static readonly string SnapshotPath = Path.Combine(Repository.Root, "tests", "CacheEngine.Architecture", "PublicApi.txt");

    [Fact]
    public void PublicApi_IsTheAcceptedOne()
    {
        string[] actual = [.. PublicApi.Describe(Repository.Assemblies)];
        if (Environment.GetEnvironmentVariable(AcceptVariable) == "1")
        {
            File.WriteAllText(SnapshotPath, string.Join('\n', actual) + "\n");
        }

        string[] accepted = File.Exists(SnapshotPath) ? File.ReadAllLines(SnapshotPath) : [];
        string difference = Difference(accepted, actual);
        Assert.True(
            difference.Length == 0,
            $"The public face has changed (+ new, - gone):\n{difference}\nIf that is meant, run this test once with {AcceptVariable}=1 and commit PublicApi.txt.");
    }

    [Fact]
    public void Difference_LinesAddedAndRemoved_AreNamed() =>
        Assert.Equal("- A.Old()\n+ A.New()", Difference(["A.Old()", "A.Same()"], ["A.New()", "A.Same()"]));

    private static string Difference(string[] accepted, string[] actual) =>
        string.Join('\n', [.. accepted.Except(actual).Select(static line => "- " + line), .. actual.Except(accepted).Select(static line => "+ " + line)]);
}
