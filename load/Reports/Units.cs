using System.Globalization;

namespace CacheEngine.Load.Reports;

/// <summary>Figures as a reader wants them: three digits and a unit that fits.</summary>
internal static class Units
{
    public static string Duration(TimeSpan span) => span.TotalMicroseconds switch
    {
        < 1_000 => $"{Digits(span.TotalMicroseconds)} µs",
        < 1_000_000 => $"{Digits(span.TotalMilliseconds)} ms",
        _ => $"{Digits(span.TotalSeconds)} s",
    };

    public static string Bytes(double bytes) => bytes switch
    {
        < 1_024 => $"{bytes.ToString("F0", CultureInfo.InvariantCulture)} B",
        < 1_048_576 => $"{Digits(bytes / 1_024)} KiB",
        _ => $"{Digits(bytes / 1_048_576)} MiB",
    };

    public static string Count(double count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Share(double share) => share.ToString("P2", CultureInfo.InvariantCulture);

    public static string Ratio(long part, long whole) => whole == 0 ? "-" : Share((double)part / whole);

    private static string Digits(double value) =>
        value.ToString(value switch { < 10 => "F2", < 100 => "F1", _ => "N0" }, CultureInfo.InvariantCulture);
}
