using System.Globalization;
using CacheEngine.Flushing;

namespace CacheEngine.Scenarios.Stage;

/// <summary>What <c>given</c> says: the nodes, and options as <c>name=value</c>.</summary>
internal sealed record Setup
{
    private Setup()
    {
    }

    public List<string> Nodes { get; } = [];

    /// <summary><c>term=1000</c>: the lease term in milliseconds.</summary>
    public long TermMilliseconds { get; private set; } = 1000;

    /// <summary><c>timeout=5000</c>: the session timeout. Not said: five terms.</summary>
    public long? TimeoutMilliseconds { get; private set; }

    /// <summary><c>patience=30000</c>: how long an operation waits.</summary>
    public long PatienceMilliseconds { get; private set; } = 30_000;

    /// <summary><c>break=10000</c>: how long an owner may hold up others.</summary>
    public long? BreakMilliseconds { get; private set; }

    /// <summary><c>delay=0</c>: how long every message is under way.</summary>
    public long DelayMilliseconds { get; private set; }

    /// <summary><c>writeback=1000</c>: how long a write is kept back at most.</summary>
    public long? WriteBackMilliseconds { get; private set; }

    /// <summary><c>maxdirty=2</c>: how many keys may be dirty at once.</summary>
    public int? MaxDirty { get; private set; }

    /// <summary><c>commit=50</c>: after how long a change is durable at the authority.</summary>
    public long CommitMilliseconds { get; private set; }

    /// <summary><c>quota=100/1000</c>: limits on what is kept back are multiples of the first, and at most the second. A value's size is its length.</summary>
    public SizeQuota? Quota { get; private set; }

    /// <summary><c>copies=true</c>: values cross as bytes.</summary>
    public bool CopiesValues { get; private set; }

    /// <summary><c>source=fenced</c>: values live at the source, which can raise fences.</summary>
    public bool RaisesFence { get; private set; }

    /// <summary><c>source=500</c>: values live at the source, which cannot; a write there takes effect within so many milliseconds.</summary>
    public long? SourceWriteMilliseconds { get; private set; }

    public bool IsAtSource => RaisesFence || SourceWriteMilliseconds is not null;

    /// <summary><c>numbers=shown</c>: messages are printed with their numbers.</summary>
    public bool ShowsNumbers { get; private set; }

    /// <summary><c>renewals=shown</c>: each renewal and answer is printed, instead of how many there were.</summary>
    public bool ShowsRenewals { get; private set; }

    public static Setup Parse(string given)
    {
        var setup = new Setup();
        string[] words = given.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || words[0] != "nodes")
        {
            throw new FormatException($"'given {given}': expected 'given nodes A B name=value ...'.");
        }

        foreach (string word in words.Skip(1))
        {
            int sign = word.IndexOf('=', StringComparison.Ordinal);
            if (sign < 0)
            {
                setup.Nodes.Add(word);
            }
            else
            {
                setup.Set(word[..sign], word[(sign + 1)..]);
            }
        }

        return setup;
    }

    private void Set(string name, string value)
    {
        switch (name, value)
        {
            case ("term", _):
                TermMilliseconds = Number(value);
                break;
            case ("timeout", _):
                TimeoutMilliseconds = Number(value);
                break;
            case ("patience", _):
                PatienceMilliseconds = Number(value);
                break;
            case ("break", _):
                BreakMilliseconds = Number(value);
                break;
            case ("delay", _):
                DelayMilliseconds = Number(value);
                break;
            case ("writeback", _):
                WriteBackMilliseconds = Number(value);
                break;
            case ("maxdirty", _):
                MaxDirty = (int)Number(value);
                break;
            case ("commit", _):
                CommitMilliseconds = Number(value);
                break;
            case ("quota", _):
                string[] sizes = value.Split('/');
                Quota = new SizeQuota(Number(sizes[0]), Number(sizes[^1]));
                break;
            case ("copies", "true"):
                CopiesValues = true;
                break;
            case ("source", "fenced"):
                RaisesFence = true;
                break;
            case ("source", _):
                SourceWriteMilliseconds = Number(value);
                break;
            case ("numbers", "shown"):
                ShowsNumbers = true;
                break;
            case ("renewals", "shown"):
                ShowsRenewals = true;
                break;
            default:
                throw new FormatException($"'{name}={value}' is no option of a transcript.");
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
