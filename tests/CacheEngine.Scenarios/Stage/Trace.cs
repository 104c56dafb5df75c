using System.Globalization;

namespace CacheEngine.Scenarios.Stage;

/// <summary>What is printed, in the order in which it happened; a line with the time goes before the first thing that happened at it.</summary>
internal sealed class Trace(World world)
{
    private List<string> _lines = [];
    private long _start = world.Time.Now;
    private long _told;

    public void Add(string line)
    {
        long at = world.Time.Now - _start;
        if (at != _told)
        {
            _told = at;
            _lines.Add(string.Create(CultureInfo.InvariantCulture, $"t={at}"));
        }

        _lines.Add(line);
    }

    /// <summary>Forgets what was printed and counts time from here.</summary>
    public void Begin()
    {
        _lines = [];
        _start = world.Time.Now;
        _told = 0;
    }

    public List<string> Take()
    {
        List<string> lines = _lines;
        _lines = [];
        return lines;
    }
}
