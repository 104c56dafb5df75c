using System.Globalization;

namespace CacheEngine.Load.Reports;

/// <summary>Where reports are kept: two files a run, one for people and one for programs.</summary>
internal static class ReportFolder
{
    /// <summary>Writes both files.</summary>
    /// <returns>Their path without the ending.</returns>
    public static string Write(string folder, LoadReport report)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{report.Scenario}-{report.EndedAt:yyyyMMdd-HHmmss}"));
        File.WriteAllText(path + ".md", MarkdownReport.Write(report));
        File.WriteAllText(path + ".json", JsonReport.Write(report));
        return path + ".{md,json}";
    }
}
