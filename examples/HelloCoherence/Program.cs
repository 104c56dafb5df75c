using CacheEngine;

// One authority, two nodes of one region. In production the authority is remote; here it lives in this process.
await using var authority = EmbeddedAuthority.Create();
await using var alice = await CoherentCache.OpenAsync<string, string>(authority, region: "prices");
await using var bob = await CoherentCache.OpenAsync<string, string>(authority, region: "prices");

await alice.SetAsync("coffee", "3.20");
Console.WriteLine($"bob asks the authority once:   {(await bob.GetAsync("coffee")).Value}");
Console.WriteLine($"then serves from memory:       {Serve(bob)}");

// Bob holds a right to serve "3.20". The authority takes it back before it acknowledges alice's write.
long version = await alice.SetAsync("coffee", "3.40");
Console.WriteLine($"alice's write, version {version}, is acknowledged; bob took in {bob.Revokes} revoke");
Console.WriteLine($"bob's memory serves:           {Serve(bob)}");
Console.WriteLine($"bob asks again:                {(await bob.GetAsync("coffee")).Value}");
Console.WriteLine($"and serves from memory again:  {Serve(bob)}");

static string Serve(CoherentCache<string, string> cache) => cache.TryGet("coffee", out string? price) ? price : "nothing, the right is gone";
