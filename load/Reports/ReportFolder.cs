using System.Globalization;

namespace CacheEngine.Load.Reports;

/// <summary>Where reports are kept: two files a run, one for people and one for programs.</summary>
internal static class ReportFolder
{
    /// <summary>Makes the folder before a run, so that no run is lost for want of it.</summary>
    public static bool TryCreate(string folder, out string error)
    {
        try
        {
            Directory.CreateDirectory(folder);
            error = "";
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error = $"There can be no folder '{folder}': {exception.Message}";
            return false;
        }
    }

    /// <summary>Writes both files into a folder that is there.</summary>
    /// <returns>Their path, with both endings.</returns>
    public static string Write(string folder, LoadReport report)
    {
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{report.Scenario}-{report.EndedAt:yyyyMMdd-HHmmss}"));
        File.WriteAllText(path + ".md", MarkdownReport.Write(report));
        File.WriteAllText(path + ".json", JsonReport.Write(report));
        return path + ".{md,json}";
    }
}
