namespace CacheEngine.Tests;
