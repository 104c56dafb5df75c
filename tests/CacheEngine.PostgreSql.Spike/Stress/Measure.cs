namespace CacheEngine.PostgreSql.Stress;

internal static class Measure
{
    public static Task<int> RunAsync() => Task.FromResult(0);
}
