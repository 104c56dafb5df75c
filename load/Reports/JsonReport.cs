using System.Text.Json;
using System.Text.Json.Serialization;

namespace CacheEngine.Load.Reports;

/// <summary>A report for programs. Spans of time are texts such as 00:00:00.0012345.</summary>
internal static class JsonReport
{
    public static string Write(LoadReport report) => JsonSerializer.Serialize(report, JsonReportContext.Default.LoadReport);

    public static LoadReport Read(string json) =>
        JsonSerializer.Deserialize(json, JsonReportContext.Default.LoadReport) ?? throw new JsonException("The report is null.");
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class JsonReportContext : JsonSerializerContext;
