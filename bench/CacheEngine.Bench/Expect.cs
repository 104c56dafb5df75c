namespace CacheEngine.Bench;

/// <summary>Consumes what a loop returns: a run in which not everything succeeded has measured something else.</summary>
internal static class Expect
{
    public static void All(int succeeded, int tried)
    {
        if (succeeded != tried)
        {
            throw new InvalidOperationException($"Only {succeeded} of {tried} operations succeeded.");
        }
    }
}
