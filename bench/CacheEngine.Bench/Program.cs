using BenchmarkDotNet.Running;
using CacheEngine.Bench.Ratios;
using CacheEngine.Bench.Writes;

// Three modes: `ratios [--seconds S]` is the quick gate, `writes` times changes by their sharers; anything else goes to BenchmarkDotNet (try `--filter *` or `--list flat`).
if (args is ["ratios", .. string[] rest])
{
    return RatioProgram.Run(rest);
}

if (args is ["writes", .. string[] options])
{
    return WriteProgram.Run(options);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
