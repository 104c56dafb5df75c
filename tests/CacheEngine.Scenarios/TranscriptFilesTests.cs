using System.Text.RegularExpressions;
using CacheEngine.Scenarios.Script;

namespace CacheEngine.Scenarios;

/// <summary>That every file beside the transcripts is one, stands in a room, is played, and says what it shows.</summary>
public sealed partial class TranscriptFilesTests
{
    [Fact]
    public void EveryFile_IsPlayed()
    {
        string[] files = Directory.GetFiles(TranscriptFiles.Folder, "*", SearchOption.AllDirectories);
        IEnumerable<string> played = TranscriptTests.Transcripts.Cast<object[]>().Select(static row => TranscriptFiles.PathOf((string)row[0]));
        Assert.NotEmpty(files);
        Assert.Equal(files.Order(StringComparer.Ordinal), played.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EveryFolder_IsARoomOfTheSource()
    {
        string source = Path.Combine(TranscriptFiles.Repository, "src");
        HashSet<string> rooms =
        [
            .. Directory.EnumerateDirectories(source).SelectMany(Directory.EnumerateDirectories).Select(static path => Path.GetFileName(path).ToLowerInvariant()),
        ];
        Assert.All(TranscriptFiles.All(), transcript =>
        {
            string[] parts = transcript.Split('/');
            Assert.Equal(2, parts.Length);
            Assert.Contains(parts[0], rooms);
        });
    }

    [Fact]
    public void EveryTitle_CitesWhatItShows() => Assert.All(TranscriptFiles.All(), transcript =>
    {
        string title = File.ReadLines(TranscriptFiles.PathOf(transcript)).First();
        Assert.True(Title().IsMatch(title), $"{transcript}: '{title}' is not '# SCENARIO-01 ... [P01 ...]: what this shows'");
    });

    [Fact]
    public void WhatWasPrinted_OtherwiseThanWritten_IsShownAsADifference()
    {
        string[] written = ["# [P01]: forged", "given nodes A", "", "when A gets x", "then", "  A gets x => \"one\" v1", "when A tries x", "then", "  A tries x => nothing"];

        List<string> played = Player.Play(Transcript.Parse(written));

        string[] difference = LineDiff.Of(written, played).Split('\n');
        Assert.Contains("- " + "  A gets x => \"one\" v1", difference);
        Assert.Contains("+ " + "  A gets x => absent v0", difference);
        Assert.Equal(played, Player.Play(Transcript.Parse(played)));
    }

    [Theory]
    [InlineData("when A gets x", "then")]
    [InlineData("given nodes A", "then")]
    [InlineData("given nodes A", "when A gets x")]
    [InlineData("given nodes A", "when A wants x", "then")]
    [InlineData("given nodes A", "when B gets x", "then")]
    [InlineData("given nodes A speed=1", "when A gets x", "then")]
    [InlineData("given nodes A", "when A gets x", "expect")]
    public void WhatCannotBeRead_IsRefused(params string[] lines) => Assert.Throws<FormatException>(() => Player.Play(Transcript.Parse(lines)));

    [GeneratedRegex(@"^# ([A-Z0-9]{2,3}-\d+ )*\[[A-Z]+\d+( [A-Z]+\d+)*\]: \S", RegexOptions.CultureInvariant)]
    private static partial Regex Title();
}
