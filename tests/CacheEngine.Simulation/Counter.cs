namespace CacheEngine.Simulation;

/// <summary>What is known of a counter that everybody increments: at the end it stands at the acknowledged increments and some of those whose outcome is unknown.</summary>
internal sealed class Counter
{
    private readonly HashSet<long> _seen = [];

    public long Acknowledged { get; private set; }

    public long Unknown { get; set; }

    /// <summary>A value that two increments were told; null: none.</summary>
    public long? Twice { get; private set; }

    public void Acknowledge(in Lookup<string> result)
    {
        if (!result.IsHit)
        {
            return;
        }

        long value = long.Parse(result.Value, System.Globalization.CultureInfo.InvariantCulture);
        Acknowledged++;
        Twice = _seen.Add(value) ? Twice : value;
    }

    public bool CanStandAt(long value) => Acknowledged <= value && value <= Acknowledged + Unknown && Twice is null;
}
