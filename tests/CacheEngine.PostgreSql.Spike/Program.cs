return await CacheEngine.PostgreSql.Stress.CommandLine.RunAsync(args);
