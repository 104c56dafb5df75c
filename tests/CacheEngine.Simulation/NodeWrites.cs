using CacheEngine.Checking;

namespace CacheEngine.Simulation;

/// <summary>
/// What one node has acknowledged to its callers and not yet told to be durable, what it said it lost, and to whom: every loss is told to the event once, to
/// every flush that waited for it, and to one later flush.
/// </summary>
internal sealed class NodeWrites
{
    private readonly Run _run;
    private readonly int _number;
    private readonly long[] _newest;
    private readonly List<LossReport> _lost = [];
    private readonly List<LossReport> _raised = [];
    private readonly Dictionary<LossReport, int> _toldLater = [];
    private readonly HashSet<LossReport> _told = [];

    public NodeWrites(Run run, int number, CoherentCache<int, string> node, int keys)
    {
        _run = run;
        _number = number;
        _newest = new long[keys];
        Flushing.WriteBack writeBack = node.Engine.WriteBack;
        Action<LossReport>? next = writeBack.Lost;
        writeBack.Lost = report =>
        {
            Lose(report);
            next?.Invoke(report);
        };
        node.WritesLost += (_, loss) => _raised.Add(loss.Report);
    }

    public int Number => _number;

    /// <summary>How many losses there have been so far.</summary>
    public int Losses => _lost.Count;

    public IEnumerable<ToldLoss> Told => _lost
        .Where(report => report.Reason == LossReason.RightLost)
        .Select(report => new ToldLoss(_number, (int)report.Key, report.FirstVersion, report.LastVersion));

    /// <summary>Losses of a cache that was disposed and could not flush in time: whether the authority had them, it cannot know.</summary>
    public IEnumerable<ToldLoss> PerhapsLost => _lost
        .Where(report => report.Reason != LossReason.RightLost)
        .Select(report => new ToldLoss(_number, (int)report.Key, report.FirstVersion, report.LastVersion));

    /// <summary>A buffered write was acknowledged.</summary>
    public void Returned(int key, long version)
    {
        // Its answer may have come to its caller behind the news of its loss.
        if (!_lost.Exists(report => Covers(report, key, version)))
        {
            _newest[key] = Math.Max(_newest[key], version);
        }
    }

    /// <summary>The newest version of a key that a flush called now has to make durable, or say that it is lost; zero: none.</summary>
    public long Newest(int key) => _newest[key];

    /// <summary>A flush that was called when there had been <paramref name="before"/> losses has thrown.</summary>
    public void Threw(BufferedWritesLostException exception, int before)
    {
        if (exception.Losses.Count == 0)
        {
            _run.Violate("loss told", -1, $"node{_number}: a flush says that something was lost, and not what");
        }

        foreach (LossReport report in exception.Losses)
        {
            int at = _lost.IndexOf(report);
            if (at < 0)
            {
                _run.Violate("loss told", (int)report.Key, $"node{_number}: a flush tells {report}, which was not lost");
            }

            _told.Add(report);
            int later = _toldLater.GetValueOrDefault(report) + (at < before ? 1 : 0);
            _toldLater[report] = later;
            if (later > 1)
            {
                _run.Violate("loss told", (int)report.Key, $"node{_number}: two later flushes tell {report}");
            }
        }
    }

    /// <summary>What must hold when everything has been flushed and told.</summary>
    public void CheckTold(bool isDeparted)
    {
        if (!_lost.SequenceEqual(_raised))
        {
            _run.Violate("loss told", -1, $"node{_number} lost {string.Join(", ", _lost)} and raised {string.Join(", ", _raised)}");
        }

        if (!isDeparted && _lost.Find(report => !_told.Contains(report)) is { } untold)
        {
            _run.Violate("loss told", (int)untold.Key, $"node{_number}: no flush told {untold}");
        }
    }

    private static bool Covers(LossReport report, int key, long version) =>
        (int)report.Key == key && report.FirstVersion <= version && version <= report.LastVersion;

    private void Lose(LossReport report)
    {
        int key = (int)report.Key;
        _run.World.Mix(report.LastVersion);
        _run.LostWrites++;
        if (_lost.Contains(report))
        {
            _run.Violate("loss told", key, $"node{_number}: {report} is lost twice");
        }

        _lost.Add(report);
        _newest[key] = Covers(report, key, _newest[key]) ? 0 : _newest[key];
    }
}
