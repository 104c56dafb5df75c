using System.Text.Json;
using System.Text.Json.Serialization;

namespace CacheEngine.Load.Reports;

/// <summary>A report for programs. Spans of time are numbers of microseconds.</summary>
internal static class JsonReport
{
    public static string Write(LoadReport report) => JsonSerializer.Serialize(report, JsonReportContext.Default.LoadReport);

    public static LoadReport Read(string json) =>
        JsonSerializer.Deserialize(json, JsonReportContext.Default.LoadReport) ?? throw new JsonException("The report is null.");
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    Converters = [typeof(MicrosecondsConverter)])]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class JsonReportContext : JsonSerializerContext;

/// <summary>A span of time as its microseconds, which programs can compare.</summary>
internal sealed class MicrosecondsConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TimeSpan.FromTicks((long)Math.Round(reader.GetDouble() * TimeSpan.TicksPerMicrosecond));

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.TotalMicroseconds);
}
