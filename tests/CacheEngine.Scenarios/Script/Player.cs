using CacheEngine.Scenarios.Stage;

namespace CacheEngine.Scenarios.Script;

/// <summary>Plays a transcript from beginning to end on the calling thread.</summary>
internal static class Player
{
    /// <returns>The lines of its file, with what was printed in place of what is expected.</returns>
    public static List<string> Play(Transcript transcript)
    {
        SynchronizationContext? outer = SynchronizationContext.Current;
        var play = new Play(Setup.Parse(transcript.Given));
        SynchronizationContext.SetSynchronizationContext(play.World);
        try
        {
            play.Begin();
            List<IReadOnlyList<string>> printed = [];
            foreach (Step step in transcript.Steps)
            {
                Commands.Do(play, step.When);
                printed.Add(play.Take());
            }

            play.End();
            return transcript.With(printed);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }
}
