using CacheEngine;
using SourceOfTruth;

// A folder of JSON documents is the truth; three nodes cache it. Writers are interrupted in the middle of their writes, and nobody ever reads what is
// over. The last act takes the fence away and shows what it was for.
if (!Arguments.TryParse(args, out Arguments arguments))
{
    Console.Error.WriteLine(Arguments.Usage);
    return 2;
}

string root = arguments.Folder ?? Directory.CreateTempSubdirectory("cacheengine-source-").FullName;
try
{
    var timeline = new Timeline();
    long staleReads;
    bool isTrue;
    await using (Shop shop = await Shop.OpenAsync(new DocumentFolder(Path.Combine(root, "documents")), timeline))
    {
        await FirstSale.PlayAsync(shop, timeline);
        await Traffic.PlayAsync(shop, timeline, arguments.Traffic);

        timeline.Begin($"Act 3: a node is paused in the middle of its write; its rights last {Shop.LeaseTerm.TotalSeconds:F0} s without a word from it");
        isTrue = await InterruptedSale.PlayAsync(shop, "buoy", isPaused: true, timeline);

        timeline.Begin("Act 4: a node is alive, but dawdles in the middle of its write; after the break timeout its own cache takes the right from it");
        isTrue &= await InterruptedSale.PlayAsync(shop, "compass", isPaused: false, timeline);
        staleReads = shop.Ledger.StaleReads;
    }

    timeline.Begin("Act 5, the control: act 3 again, with a folder that does not compare fences");
    bool isControlTrue;
    await using (Shop careless = await Shop.OpenAsync(new DocumentFolder(Path.Combine(root, "control"), comparesFences: false), timeline))
    {
        isControlTrue = await InterruptedSale.PlayAsync(careless, "buoy", isPaused: true, timeline);
    }

    Console.WriteLine();
    Console.WriteLine($"with fences:    stale reads: {staleReads}; folder and nodes {(isTrue ? "agree" : "DISAGREE")}");
    Console.WriteLine($"without fences: folder and nodes {(isControlTrue ? "agree: THE CONTROL SHOWS NOTHING" : "disagree, as they must")}");
    return staleReads == 0 && isTrue && !isControlTrue ? 0 : 1;
}
catch (AuthorityUnavailableException exception)
{
    Console.Error.WriteLine($"The run was given up: {exception.Message}");
    return 1;
}
finally
{
    if (arguments.Folder is null)
    {
        Directory.Delete(root, recursive: true);
    }
}
