using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using CacheEngine.Simulation;
using CacheEngine.Sync;

// Before anything of the library is touched: every continuation stays on the simulation's thread.
AppContext.SetSwitch(EngineAwait.SwitchName, true);
return Command.Execute(args);

namespace CacheEngine.Simulation
{
    /// <summary>The command line of the simulator.</summary>
    internal static class Command
    {
        /// <summary>Seeds that found bugs of ours before nodes kept writes back; run before any others, and without all that.</summary>
        private static readonly ulong[] Regressions = [8, 39, 1122, 1471, 2277, 4051, 4398, 6562];

        /// <summary>Seeds that found bugs of ours since then, or find them if they are made again, as scenarios are drawn today.</summary>
        private static readonly ulong[] WriteBackRegressions = [55, 773, 776, 1270, 2347, 3311, 4026, 101497, 110108, 114368, 4217352339];

        private const string Usage = """
            Usage: -- [--seed S [--trace 1]] [--seeds N [--from S]] [--seconds T]
              --seed S      one seed, twice; prints its scenario, its hash and what it found
              --trace 1     all messages of that seed too
              --seeds N     N seeds in a row, from --from (default 1)
              --seconds T   fresh seeds for T seconds (the default: 30)
            Exit code 0: nothing found; 1: a violation, or a seed with two hashes; 2: bad usage.
            """;

        public static int Execute(string[] args)
        {
            var options = new Dictionary<string, ulong>();
            for (int i = 0; i < args.Length; i += 2)
            {
                bool isKnown = args[i] is "--seed" or "--trace" or "--seeds" or "--from" or "--seconds";
                if (!isKnown || i + 1 >= args.Length || !ulong.TryParse(args[i + 1], CultureInfo.InvariantCulture, out ulong value))
                {
                    Console.Error.WriteLine(Usage);
                    return 2;
                }

                options[args[i]] = value;
            }

            if (options.TryGetValue("--seed", out ulong seed))
            {
                return RunOne(seed, options.GetValueOrDefault("--trace") == 0 ? null : Console.Out);
            }

            if (options.TryGetValue("--seeds", out ulong count))
            {
                ulong from = options.GetValueOrDefault("--from", 1ul);
                return RunMany(from, (done, _) => done < count);
            }

            ulong seconds = options.GetValueOrDefault("--seconds", 30ul);
            ulong fresh = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));
            return RunMany(fresh, (_, elapsed) => elapsed.TotalSeconds < seconds);
        }

        private static int RunOne(ulong seed, TextWriter? trace)
        {
            RunResult first = Run.Execute(Scenario.Draw(seed), trace);
            RunResult second = Run.Execute(Scenario.Draw(seed));
            Console.WriteLine(first.Scenario);
            Console.WriteLine($"hash {first.Hash:x16} and {second.Hash:x16}, {first.Steps} steps, {first.Operations} operations, {first.Hits} hits, {first.Buffered} kept back, {first.Restores} restored, {first.LostWrites} lost");
            Report(first);
            return first.Hash == second.Hash && first.Violations.Count == 0 ? 0 : 1;
        }

        private static int RunMany(ulong from, Func<ulong, TimeSpan, bool> goesOn)
        {
            IEnumerable<Scenario> known =
                [.. Regressions.Select(Scenario.DrawWriteThrough), .. WriteBackRegressions.Select(Scenario.Draw)];
            foreach (Scenario scenario in known)
            {
                RunResult result = Run.Execute(scenario);
                if (result.Violations.Count > 0)
                {
                    Console.WriteLine($"regression seed {scenario.Seed} FAILED");
                    Report(result);
                    return 1;
                }
            }

            Console.WriteLine($"simulating from seed {from}");
            long start = Stopwatch.GetTimestamp();
            ulong done = 0;
            long steps = 0;
            long operations = 0;
            long hits = 0;
            long buffered = 0;
            long restores = 0;
            long losses = 0;
            long virtualSeconds = 0;
            var failed = new List<ulong>();
            for (; goesOn(done, Stopwatch.GetElapsedTime(start)); done++)
            {
                ulong seed = from + done;
                RunResult result = Run.Execute(Scenario.Draw(seed));
                steps += result.Steps;
                operations += result.Operations;
                hits += result.Hits;
                buffered += result.Buffered;
                restores += result.Restores;
                losses += result.LostWrites;
                virtualSeconds += result.Scenario.Seconds;

                // One seed in sixteen runs twice: the same seed must be the same run.
                bool isSame = done % 16 != 0 || Run.Execute(Scenario.Draw(seed)).Hash == result.Hash;
                if (result.Violations.Count > 0 || !isSame)
                {
                    failed.Add(seed);
                    Console.WriteLine($"seed {seed} FAILED{(isSame ? string.Empty : ": two runs, two hashes")}");
                    Report(result);
                }

                if (failed.Count >= 5)
                {
                    done++;
                    break;
                }
            }

            double real = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{done} seeds, {steps} steps, {operations} operations, {hits} hits, {buffered} kept back, {restores} restored, {losses} lost, {virtualSeconds / 3600.0:f1} virtual hours in {real:f1} s; {failed.Count} seeds failed"));
            return failed.Count == 0 ? 0 : 1;
        }

        private static void Report(RunResult result)
        {
            foreach (Checking.Violation violation in result.Violations.Take(5))
            {
                Console.WriteLine($"  {violation}");
            }
        }
    }
}
