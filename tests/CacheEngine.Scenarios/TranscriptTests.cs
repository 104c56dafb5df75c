using CacheEngine.Scenarios.Script;

namespace CacheEngine.Scenarios;

/// <summary>Plays every transcript and holds what was printed against what its file says.</summary>
public sealed class TranscriptTests
{
    /// <summary>Set to 1: what was printed is written into the files instead. Read it before it is committed.</summary>
    private const string AcceptVariable = "CACHEENGINE_ACCEPT_TRANSCRIPTS";

    public static TheoryData<string> Transcripts { get; } = [.. TranscriptFiles.All()];

    [Theory]
    [MemberData(nameof(Transcripts))]
    public void Transcript_PlaysAsWritten(string transcript)
    {
        string path = TranscriptFiles.PathOf(transcript);
        string[] expected = File.ReadAllLines(path);
        List<string> actual = Player.Play(Transcript.Parse(expected));
        if (Environment.GetEnvironmentVariable(AcceptVariable) == "1")
        {
            File.WriteAllText(path, string.Concat(actual.Select(static line => $"{line}\n")));
            return;
        }

        Assert.True(
            expected.SequenceEqual(actual),
            $"{transcript} plays otherwise than written (- written, + played; {AcceptVariable}=1 accepts):\n{LineDiff.Of(expected, actual)}");
    }

    [Fact]
    public void Transcript_PlayedTwice_IsTheSame()
    {
        foreach (string path in TranscriptFiles.All().Select(TranscriptFiles.PathOf))
        {
            Assert.Equal(Player.Play(Transcript.Parse(File.ReadLines(path))), Player.Play(Transcript.Parse(File.ReadLines(path))));
        }
    }
}
