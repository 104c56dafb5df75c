using CacheEngine.Embedded;
using CacheEngine.Scenarios.Stage;

namespace CacheEngine.Scenarios.Script;

/// <summary>The commands that stand for the network, the machines and the time. <c>out</c> is from a node to the authority, <c>in</c> the other way.</summary>
internal static class Faults
{
    public static readonly (string Form, Action<Play, Words> Do)[] Table =
    [
        ("open {node}", static (play, words) => play.Start(words.Text, _ => play.OpenAsync(words.Node))),
        ("{node} closes", static (play, words) => play.Start(words.Text, async _ =>
        {
            await play.Node(words.Node).DisposeAsync();
            return "closed";
        })),
        ("advance {time}", static (play, words) => play.World.Advance(words.Milliseconds)),

        // All machines: their monotonic clocks have not counted the time that has passed.
        ("stand still {time}", static (play, words) => play.World.Time.AdvanceWall(TimeSpan.FromMilliseconds(words.Milliseconds))),
        ("restart", static (play, _) => play.Authority.Restart()),
        ("break {node}", static (play, words) => play.Authority.CutOff(words.Node)),
        ("evict {node}", static (play, words) => play.Authority.Evict(words.Node)),
        ("restart cutting the tail", static (play, _) => play.Authority.Restart(cutsTail: true)),
        ("lose opening", static (play, _) => play.LoseNextOpening()),

        // Messages wait in their order until the link is open again.
        ("(?:cut|hold) {node}(?: {way})?", static (play, words) => Each(words, way => play.Links.Close(way, words.Node))),
        ("(?:restore|release) {node}(?: {way})?", static (play, words) =>
        {
            Each(words, way => play.Links.Open(way, words.Node));
            play.Authority.WakeLinks(words.Node);
        }),
        ("release {node} {way} {count}", static (play, words) =>
        {
            play.Links.Pass(words.Directions[0], words.Node, words.Count);
            play.Authority.WakeLinks(words.Node);
        }),
        ("delay {node} {way} {time}", static (play, words) => Each(words, way => play.Links.SetDelay(way, words.Node, words.Milliseconds))),

        // How often each message arrives from now on; lost ones do not.
        ("repeat {node} out {count}", static (play, words) => play.Links.SetCopies(words.Node, words.Count)),
        ("lose {node} out", static (play, words) => play.Links.SetCopies(words.Node, 0)),
    ];

    private static void Each(Words words, Action<LinkDirection> act) => Array.ForEach(words.Directions, act);
}
