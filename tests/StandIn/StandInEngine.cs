using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.StandIns;

/// <summary>Runs the statements of requests in libchdb.</summary>
internal sealed class StandInEngine : IDisposable
{
    // Parameters of a request that are no settings.
    private static readonly HashSet<string> s_reserved = ["database", "query", "query_id", "wait_end_of_query", "default_format"];

    private const string Input = " FROM input(";
    private const string Format = " FORMAT ";

    private readonly string _directory;
    private readonly EngineConnection _first;

    public StandInEngine(string directory)
    {
        Directory.CreateDirectory(directory);
        _directory = directory;
        string configuration = Path.Combine(directory, "engine.xml");
        File.WriteAllText(configuration, "<clickhouse/>\n");
        LibChdb.Load("");
        _first = EngineConnection.Open(
        [
            $"--path={directory}", $"--config-file={configuration}", "--memory_worker_use_cgroup=0",
            "--mark_cache_size=1000000", "--background_pool_size=1", "--background_schedule_pool_size=2",
        ]);
    }

    /// <summary>Runs a statement and gives its answer.</summary>
    /// <exception cref="StoreException">The engine refused.</exception>
    public byte[] Run(StandInRequest request)
    {
        using EngineConnection session = Open(request);
        using EngineResult result = session.Run(
            request.Statement, request.Parameters.GetValueOrDefault("default_format", "TabSeparated"));
        return result.Bytes.ToArray();
    }

    /// <summary>Inserts the body; before it is done, tells that all bytes are with the engine.</summary>
    /// <exception cref="StoreException">The engine refused.</exception>
    public void Insert(StandInRequest request, Action beforeDone)
    {
        (string statement, string format) = request.Statement.Split(Format) is [var before, var name]
            ? (before, name) : throw new InvalidOperationException($"has no format: {request.Statement}");
        if (statement.Contains(Input, StringComparison.Ordinal))
        {
            InsertSelected(request, statement);
            return;
        }

        IEnumerable<string> settings = Settings(request).Select(s => $"{s.Key} = {SqlText.Literal(s.Value)}");
        using EngineConnection session = EngineConnection.Open([$"--path={_directory}"]);
        using InsertStream insert = InsertStream.Begin(
            session, $"{statement} SETTINGS {string.Join(", ", settings)}", format);
        for (int from = 0; from < request.Body.Length; from += 1 << 20)
        {
            if (!insert.TryAppend(request.Body.AsSpan(from, Math.Min(1 << 20, request.Body.Length - from))))
            {
                break;
            }
        }

        beforeDone();
        insert.Complete();
    }

    public void Dispose() => _first.Dispose();

    // libchdb's streams take no INSERT ... SELECT FROM input(...), as a server does; it reads a file instead.
    private void InsertSelected(StandInRequest request, string statement)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, request.Body);
            using EngineConnection session = Open(request);
            session.Run(statement.Replace(
                Input, $" FROM file({SqlText.Literal(path)}, 'Native', ", StringComparison.Ordinal)).Dispose();
        }
        finally
        {
            File.Delete(path);
        }
    }

    private EngineConnection Open(StandInRequest request) => EngineConnection.Open(
        [$"--path={_directory}", .. Settings(request).Select(s => $"--{s.Key}={s.Value}")]);

    private static IEnumerable<KeyValuePair<string, string>> Settings(StandInRequest request) =>
        request.Parameters.Where(p => !s_reserved.Contains(p.Key));
}
