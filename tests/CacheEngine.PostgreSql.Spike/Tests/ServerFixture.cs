using CacheEngine.PostgreSql.Server;

namespace CacheEngine.PostgreSql.Tests;

/// <summary>One throw-away server for all tests.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    internal PostgreSqlServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await PostgreSqlServer.StartNewAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class ServerCollection : ICollectionFixture<ServerFixture>
{
    public const string Name = "server";
}
