using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace CacheEngine.PostgreSql.Server;

/// <summary>
/// A throw-away PostgreSQL server from the installed binaries: data, socket and log in one temporary directory, a free port of the loopback address, trust.
/// </summary>
/// <remarks><c>fsync</c> is off: a crash of the server (<see cref="CrashAsync"/>) loses nothing that way, only a crash of the machine would.
/// <c>synchronous_commit</c> stays on, as it must with this authority: an acknowledged commit is in the log that recovery reads.</remarks>
internal sealed class PostgreSqlServer : IAsyncDisposable
{
    private const string User = "postgres";

    private readonly string _binaries;

    private PostgreSqlServer(string binaries, string directory, int port)
    {
        _binaries = binaries;
        Location = directory;
        Port = port;
    }

    public int Port { get; }

    /// <summary>The directory that holds everything, and goes with the server.</summary>
    public string Location { get; }

    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Username={User};Database=postgres;Timeout=5;Command Timeout=10;Maximum Pool Size=40";

    private string Data => Path.Combine(Location, "data");

    /// <summary>Makes a server and starts it.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or a step failed; the message tells which.</exception>
    public static async Task<PostgreSqlServer> StartNewAsync()
    {
        string binaries = FindBinaries();
        string directory = Directory.CreateTempSubdirectory("ce-pg-").FullName;
        var server = new PostgreSqlServer(binaries, directory, FreePort());
        Watch(directory);
        try
        {
            if (IsRoot)
            {
                await RunAsync("chown", [User, directory]);
            }

            await server.RunAsUserAsync("initdb", ["-D", server.Data, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public Task StartAsync() => RunAsUserAsync(
        "pg_ctl",
        [
            "-D", Data, "-w", "-t", "60", "-l", Path.Combine(Location, "log"), "-o",
            $"-h 127.0.0.1 -p {Port} -k {Location} -c fsync=off -c full_page_writes=off -c max_connections=200 -c jit=off", "start",
        ]);

    /// <summary>Stops the server as a crash would: no checkpoint, no goodbye; the next start recovers from the log.</summary>
    public Task CrashAsync() => RunAsUserAsync("pg_ctl", ["-D", Data, "-w", "-m", "immediate", "stop"]);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
        {
            await CrashAsync();
        }

        Directory.Delete(Location, recursive: true);
    }

    /// <summary>Removes the server if this process ends without having done it, killed for instance.</summary>
    private static void Watch(string directory)
    {
        const string Script = """
            while kill -0 "$1" 2> /dev/null; do sleep 1; done
            if [ -f "$0/data/postmaster.pid" ]; then kill -QUIT "$(head -n 1 "$0/data/postmaster.pid")"; sleep 1; fi
            rm -rf "$0"
            """;
        string[] arguments =
        [
            "-c", $"({Script}) > /dev/null 2>&1 < /dev/null", directory, $"{Environment.ProcessId}",
        ];

        // A session of its own: a signal to this process's group does not reach it.
        Process.Start(new ProcessStartInfo("setsid", ["/bin/sh", .. arguments]) { WorkingDirectory = "/", UseShellExecute = false })!.Dispose();
    }

    private static bool IsRoot => !OperatingSystem.IsWindows() && Environment.UserName == "root";

    /// <summary>The newest installation: beside pg_config, on the search path, or where Debian puts them.</summary>
    private static string FindBinaries()
    {
        IEnumerable<string> searched = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator);
        const string Debian = "/usr/lib/postgresql";
        if (Directory.Exists(Debian))
        {
            searched = searched.Concat(Directory.GetDirectories(Debian)
                .OrderByDescending(static version => int.TryParse(Path.GetFileName(version), out int number) ? number : 0)
                .Select(static version => Path.Combine(version, "bin")));
        }

        return searched.FirstOrDefault(static path => File.Exists(Path.Combine(path, "initdb")) && File.Exists(Path.Combine(path, "pg_ctl")))
            ?? throw new InvalidOperationException(
                "PostgreSQL's server binaries (initdb, pg_ctl) are neither on the PATH nor below /usr/lib/postgresql. On Debian: apt-get install -y postgresql");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>PostgreSQL refuses to run as root: then it runs as its own user.</summary>
    private Task RunAsUserAsync(string tool, string[] arguments)
    {
        string path = Path.Combine(_binaries, tool);
        return IsRoot
            ? RunAsync("setpriv", [$"--reuid={User}", $"--regid={User}", "--clear-groups", path, .. arguments])
            : RunAsync(path, arguments);
    }

    private static async Task RunAsync(string tool, string[] arguments)
    {
        // No pipe: a server that is started here would keep it open.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" > /dev/null 2>&1", tool, .. arguments])
        {
            WorkingDirectory = "/",
            UseShellExecute = false,
        })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
        }
    }
}
