using BenchmarkDotNet.Running;
using CacheEngine.Bench.Ratios;

// Two modes: `ratios [--seconds S]` is the quick gate; anything else goes to BenchmarkDotNet (try `--filter *` or `--list flat`).
if (args is ["ratios", .. string[] rest])
{
    return RatioProgram.Run(rest);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
