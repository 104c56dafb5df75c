using Xunit.Abstractions;

namespace CacheEngine.Architecture.Shape;

public sealed class FileSizeTests(ITestOutputHelper output)
{
    [Fact]
    public void Files_StayReadable()
    {
        List<(string Path, int Lines)> files = [.. Repository.Sources().Select(static file => (file.Path, file.Text.AsSpan().Count('\n')))];
        foreach ((string path, int lines) in files.OrderByDescending(static file => file.Lines))
        {
            output.WriteLine($"{lines,5} {path}");
        }

        foreach (int percent in (int[])[50, 90, 100])
        {
            output.WriteLine($"{percent}% of {files.Count} files have up to {FileSizes.Percentile(files.Select(static file => file.Lines), percent)} lines");
        }

        string violations = string.Join('\n', FileSizes.Violations(files, FileSizes.Outgrown));
        Assert.True(violations.Length == 0, violations);
    }

    [Fact]
    public void Violations_TooLongOrWronglyListed_AreReported()
    {
        List<(string, int)> files = [.. Enumerable.Range(0, 40).Select(static i => ($"{i}.cs", 100)), ("long.cs", 601), ("listed.cs", 701), ("shrunk.cs", 600)];
        var outgrown = new Dictionary<string, int> { ["listed.cs"] = 700, ["shrunk.cs"] = 700, ["gone.cs"] = 700 };
        Assert.Equal(4, FileSizes.Violations(files, outgrown).Count);
        Assert.Contains("nine files in ten have up to 320", FileSizes.Violations([("a.cs", 320), ("b.cs", 10)], new Dictionary<string, int>()).Single());
    }
}
