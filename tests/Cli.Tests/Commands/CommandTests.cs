using System.IO.Compression;
using System.Text;
using Ingest.Cli.Commands;
using Ingest.V1;

namespace Ingest.Cli.Tests.Commands;

/// <summary>The commands as a user runs them, against the server's own transport.</summary>
public sealed class CommandTests : IDisposable
{
    private const string Header = "driver,lat,lon,time\n";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ingest-cli");
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();
    private readonly MemoryStream _bytes = new();

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        _out.Dispose();
        _error.Dispose();
        _bytes.Dispose();
    }

    [Fact]
    public async Task Files_directories_and_gzip_are_streamed_and_counted()
    {
        await using var server = await CollectingServer.StartAsync();
        Write("a.csv", Header + "a,1,2,1600000000\na,1,2,1600000001\n");
        Write("deep/new_b.txt", "1 2 0 1600000000\n");
        Write("deep/notes.txt", "just text\n");
        await using (var gzip = new GZipStream(File.Create(PathOf("deep/c.ndjson.gz")), CompressionLevel.Fastest))
        {
            await gzip.WriteAsync("{\"driver\":\"c\",\"lat\":1,\"lon\":2,\"time\":1600000000}\n"u8.ToArray());
        }

        Assert.Equal(0, await RunAsync("stream", "gps", PathOf("a.csv"), PathOf("deep"), "--streams", "3", "--server", server.GrpcAddress));
        Assert.Equal(["a", "a", "b", "c"], server.Points.Select(point => point.DriverId).Order());
        Assert.Contains("gps: 4 rows of 3 files", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("accepted 4, rejected 0, unreadable lines 0", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("notes.txt left out: the format is not known", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejected_rows_and_unreadable_lines_are_named_by_file_and_line()
    {
        await using var server = await CollectingServer.StartAsync();
        Write("a.csv", Header + "a,1,2,1600000000\nx\na,90,2,1600000001\n");
        Write("b.csv", Header + "b,89.5,2,1600000000\nb,1,2,1600000001\n");

        Assert.Equal(1, await RunAsync("stream", "gps", PathOf("a.csv"), PathOf("b.csv"), "--server", server.GrpcAddress));
        var errors = _error.ToString();
        Assert.Contains($"unreadable: {PathOf("a.csv")}:3: 1 columns where 4 are due", errors, StringComparison.Ordinal);
        Assert.Contains($"rejected: {PathOf("a.csv")}:4: location.lat: is too far north", errors, StringComparison.Ordinal);
        Assert.Contains($"rejected: {PathOf("b.csv")}:2: location.lat: is too far north", errors, StringComparison.Ordinal);
        Assert.Contains("accepted 2, rejected 2, unreadable lines 1", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_fails_or_is_not_there_is_said_in_one_line()
    {
        string address;
        await using (var server = await CollectingServer.StartAsync())
        {
            address = server.GrpcAddress;
            Write("a.csv", Header + "a,1,2,1600000000\ncrash,1,2,1600000001\n");
            Assert.Equal(3, await RunAsync("stream", "gps", PathOf("a.csv"), "--server", address));
            Assert.Equal(
                ["ingest: InvalidArgument: cannot be decoded (1 rows of the stream are durable)"], Said());
            Assert.Equal(0, await RunAsync("health", "--server", address));
            Assert.Equal("serving", _out.ToString().Trim());
        }
        Assert.Equal(3, await RunAsync("stream", "gps", PathOf("a.csv"), "--server", address));
        Assert.StartsWith($"ingest: Cannot connect to {address}: ", Assert.Single(Said()), StringComparison.Ordinal);
        Assert.Equal(3, await RunAsync("simulate", "--drivers", "5", "--server", address));
        Assert.Equal(3, await RunAsync("query", "SELECT 1", "--http", address));
    }

    [Theory]
    [InlineData("There is no file or directory /no/such.csv.", "stream", "gps", "/no/such.csv")]
    [InlineData("--map a is not column=field.", "stream", "gps", "-", "--map", "a")]
    [InlineData("--set says a twice.", "stream", "gps", "-", "--set", "a=1", "--set", "a=2")]
    [InlineData("There is no field speed.", "stream", "gps", "-", "--map", "a=speed")]
    [InlineData("--format xml is not known", "stream", "gps", "-", "--format", "xml")]
    [InlineData("--utc-offset 7 is not ±hh:mm.", "stream", "gps", "-", "--utc-offset", "7")]
    [InlineData("--date today is not yyyy-mm-dd.", "stream", "gps", "-", "--date", "today")]
    [InlineData("--batch has to be at least 1.", "stream", "gps", "-", "--batch", "0")]
    [InlineData("--rate has to be more than 0.", "stream", "gps", "-", "--rate", "0")]
    [InlineData("'x y' is no address", "stream", "gps", "-", "--server", "x y")]
    [InlineData("Required argument missing for command: 'gps'. See ingest stream gps --help", "stream", "gps")]
    [InlineData("'dance' is no command or option. See ingest --help", "dance")]
    [InlineData("--rate fast is neither", "simulate", "--rate", "fast")]
    [InlineData("--drivers has to be between", "simulate", "--drivers", "0")]
    public async Task What_cannot_be_done_as_asked_is_said_with_exit_code_2(string sentence, params string[] arguments)
    {
        Assert.Equal(2, await RunAsync(arguments));
        Assert.StartsWith($"ingest: {sentence}", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_named_file_of_no_known_format_is_a_fault_with_its_name()
    {
        await using var server = await CollectingServer.StartAsync();
        Write("a.csv", "hello\n");
        Assert.Equal(2, await RunAsync("stream", "gps", PathOf("a.csv"), "--server", server.GrpcAddress));
        Assert.StartsWith($"ingest: {PathOf("a.csv")}: the format is not known", Said()[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_rate_is_kept()
    {
        await using var server = await CollectingServer.StartAsync();
        Write("a.csv", Header + string.Concat(Enumerable.Repeat("a,1,2,1600000000\n", 101)));
        var start = TimeProvider.System.GetTimestamp();
        Assert.Equal(0, await RunAsync("stream", "gps", PathOf("a.csv"), "--rate", "200", "--server", server.GrpcAddress));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0.49, 20);
        Assert.Equal(101, server.Points.Count);
    }

    [Fact]
    public async Task A_simulated_city_goes_into_four_tables()
    {
        await using var server = await CollectingServer.StartAsync();
        Assert.Equal(0, await RunAsync(
            "simulate", "--drivers", "50", "--minutes", "3", "--end", "2026-03-02T19:00:00Z", "--server", server.GrpcAddress));
        Assert.InRange(server.Points.Count, 50 * 36 * 9 / 10, 50 * 36);
        Assert.NotEmpty(server.Orders);
        Assert.NotEmpty(server.Events);
        Assert.Equal(3 * 12, server.Metrics.Count);
        Assert.Contains($"gps_points     {server.Points.Count,12:N0} rows, accepted {server.Points.Count:N0}, rejected 0",
            _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("simulated time ends 2026-03-02 19:00:00Z", _out.ToString(), StringComparison.Ordinal);
        Assert.Equal(OrderStatus.Placed, server.Orders.Min(order => order.Status));
    }

    [Fact]
    public async Task A_query_is_passed_on_in_a_pipe_and_shown_as_a_table_on_a_terminal()
    {
        await using var server = await CollectingServer.StartAsync();
        server.SqlAnswer = (200, "1\ta\\tb\n");
        Assert.Equal(0, await RunAsync("query", "SELECT 1, 'x'", "--http", server.HttpAddress));
        Assert.Equal("1\ta\\tb\n", Encoding.UTF8.GetString(_bytes.ToArray()));
        Assert.Equal("SELECT 1, 'x'", server.Statements[^1]);

        Assert.Equal(0, await RunAsync("query", "SELECT 1;", "--format", "CSV", "--http", server.HttpAddress));
        Assert.Equal("SELECT 1\nFORMAT CSV", server.Statements[^1]);

        server.SqlAnswer = (200, "n\tname\nUInt8\tNullable(String)\n1\ta\\tb\n22\t\\N\n");
        Assert.Equal(0, await RunOnTerminalAsync("query", "SELECT n, name FROM t -- all", "--http", server.HttpAddress));
        Assert.Equal("SELECT n, name FROM t -- all\nFORMAT TabSeparatedWithNamesAndTypes", server.Statements[^1]);
        Assert.Contains("│ 22 │ NULL", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("│  1 │ a", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("2 rows", _out.ToString(), StringComparison.Ordinal);

        Assert.Equal(0, await RunOnTerminalAsync("query", "SELECT 1 format JSON;", "--http", server.HttpAddress));
        Assert.Equal("SELECT 1 format JSON;", server.Statements[^1]);

        server.SqlAnswer = (400, "Code: 62. DB::Exception: Syntax error\n");
        Assert.Equal(1, await RunAsync("query", "SELEKT", "--http", server.HttpAddress));
        Assert.Equal("ingest: Code: 62. DB::Exception: Syntax error", _error.ToString().Trim());
    }

    [Theory]
    [InlineData("ingest simulate --drivers 500 --minutes 10", "--help")]
    [InlineData("ingest stream gps geolife/plt", "stream", "gps", "--help")]
    [InlineData("--set entity_type=user", "stream", "events", "--help")]
    [InlineData("ingest stream metrics campaigns.csv", "stream", "metrics", "--help")]
    [InlineData("ingest stream orders orders.csv", "stream", "orders", "--help")]
    [InlineData("ingest query \"SELECT", "query", "--help")]
    [InlineData("ingest simulate --drivers 50", "simulate", "--help")]
    public async Task Help_shows_an_example(string example, params string[] arguments)
    {
        Assert.Equal(0, await RunAsync(arguments));
        Assert.Contains("Example", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains(example, _out.ToString(), StringComparison.Ordinal);
    }

    private Task<int> RunAsync(params string[] arguments) => RunAsync(isTerminal: false, arguments);

    private Task<int> RunOnTerminalAsync(params string[] arguments) => RunAsync(isTerminal: true, arguments);

    private async Task<int> RunAsync(bool isTerminal, string[] arguments)
    {
        _out.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        _bytes.SetLength(0);
        var console = new CommandConsole(_out, _error, isTerminal, ErrorIsTerminal: false)
        {
            OpenOut = () => new UnclosedStream(_bytes),
        };
        return await IngestCommand.RunAsync(console, arguments).WaitAsync(TimeSpan.FromSeconds(60));
    }

    // What takes longer than two seconds, on a busy machine anything, is told how far it has come.
    private string[] Said() =>
    [
        .. _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.Contains(" %  ", StringComparison.Ordinal)),
    ];

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), text);
    }

    /// <summary>Lets the command close its output and the test read it.</summary>
    private sealed class UnclosedStream(MemoryStream inner) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);
    }
}
