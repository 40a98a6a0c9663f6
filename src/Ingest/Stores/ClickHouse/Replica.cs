using System.Globalization;
using System.Text;
using Ingest.Log;
using Polly;
using Polly.CircuitBreaker;

namespace Ingest.Stores.ClickHouse;

/// <summary>One server: its address, what it can do, and whether it is worth asking.</summary>
/// <remarks>
/// A circuit breaker leaves a server alone of whose calls, in 30 s, two at least and one in ten failed. Whatever failed,
/// the next to use it first asks what it can do: a small question, so that no segment is sent to find out whether a
/// server is back.
/// </remarks>
internal sealed class Replica : ISqlSession
{
    private readonly HttpClient _http;
    private readonly ClickHouseOptions _options;
    private readonly string _base;
    private readonly ResiliencePipeline _breaker;
    private ServerFacts? _facts;
    private volatile bool _isDown;

    public Replica(Uri url, HttpClient http, ClickHouseOptions options, TimeProvider time)
    {
        Url = url;
        _http = http;
        _options = options;
        _base = url.AbsoluteUri.TrimEnd('/') + "/";
        _breaker = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<ReplicaDownException>(),
                FailureRatio = 0.1,
                MinimumThroughput = 2,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDurationGenerator = args => new ValueTask<TimeSpan>(BreakDuration(args.HalfOpenAttempts)),
            })
            .Build();
    }

    /// <summary>Where it is.</summary>
    public Uri Url { get; }

    /// <summary>Whether it has not failed since it last answered.</summary>
    public bool IsUp => !_isDown;

    /// <summary>What it can do, if it is known now.</summary>
    public ServerFacts? Facts => Volatile.Read(ref _facts);

    /// <summary>What it can do.</summary>
    /// <exception cref="StoreException">It is out of reach, or refuses the user.</exception>
    public async ValueTask<ServerFacts> FactsAsync(CancellationToken cancellationToken)
    {
        if (Facts is { } known)
        {
            return known;
        }

        ServerFacts facts = await ServerFacts.AskAsync(this, cancellationToken);
        if (facts.Version.Major == 0)
        {
            throw NoClickHouse("SELECT version()", facts.VersionText);
        }

        Volatile.Write(ref _facts, facts);
        _isDown = false;
        return facts;
    }

    /// <summary>Whether it answers, whatever the circuit breaker thinks.</summary>
    public async Task<bool> PingAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.ConnectTimeout);
        try
        {
            using HttpResponseMessage answer = await _http.GetAsync(new Uri(_base + "ping"), timeout.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || IsTimeout(e, cancellationToken))
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task RunAsync(string statement, CancellationToken cancellationToken) =>
        await ReadAsync(
            statement,
            Known(Facts, [("distributed_ddl_output_mode", "null_status_on_timeout"),
                ("distributed_ddl_task_timeout", Seconds(_options.StatementTimeout / 2))]),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<List<string[]>> ReadRowsAsync(string statement, CancellationToken cancellationToken)
    {
        string text = await ReadAsync(statement + " FORMAT TabSeparatedRaw", [], cancellationToken);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
    }

    /// <summary>Rows that a count says, also those that other replicas have and this one is still fetching.</summary>
    /// <exception cref="StoreException">The server refused or is out of reach.</exception>
    public async Task<long> CountAsync(string statement, ServerFacts facts, CancellationToken cancellationToken)
    {
        string text = await ReadAsync(
            statement,
            _options.Cluster.Length > 0 ? Known(facts, [("select_sequential_consistency", "1")]) : [],
            cancellationToken);
        return long.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            ? count
            : throw NoClickHouse("a count", text);
    }

    /// <summary>Sends a segment as one INSERT.</summary>
    /// <remarks>
    /// The token is the query's id too: while the server still works on a try that we have given up, it refuses another
    /// one (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING), which could not be told from it once the token is forgotten.
    /// </remarks>
    /// <exception cref="StoreException">It is not known to be inserted.</exception>
    public Task InsertAsync(
        SealedSegment segment, string statement, ServerFacts facts, CancellationToken cancellationToken) => InsertAsync(
        segment, statement, TableDefinition.InsertSettings(segment.Token), facts, cancellationToken);

    /// <summary>Sends a segment of which the server is to insert what it lacks.</summary>
    /// <exception cref="StoreException">It is not known to be whole.</exception>
    public Task InsertMissingAsync(
        SealedSegment segment, string statement, ServerFacts facts, CancellationToken cancellationToken) => InsertAsync(
        segment, statement,
        _options.Cluster.Length > 0
            ? [.. TableDefinition.InsertMissingSettings(), ("select_sequential_consistency", "1")]
            : TableDefinition.InsertMissingSettings(),
        facts, cancellationToken);

    private async Task InsertAsync(
        SealedSegment segment, string statement, IEnumerable<(string Name, string Value)> settings, ServerFacts facts,
        CancellationToken cancellationToken)
    {
        if (_options.Cluster.Length > 0 && _options.InsertQuorum != "0")
        {
            settings = settings.Concat([("insert_quorum", _options.InsertQuorum), ("insert_quorum_parallel", "0")]);
        }

        string url = Address(
            [
                ("query", statement + " FORMAT Native"), ("query_id", segment.Token), ("wait_end_of_query", "1"),
                .. Known(facts, settings),
            ]);
        string said = await GuardAsync(
            async token =>
            {
                using var content = new SegmentContent(segment, _options.Compression);
                using HttpResponseMessage answer = await PostAsync(
                    url, content, HttpCompletionOption.ResponseHeadersRead, EngineError.OfInsert, token);
                return await answer.Content.ReadAsStringAsync(token);
            },
            _options.InsertTimeout, cancellationToken);

        // An INSERT answers nothing; what it says after a status of 200 is a late exception.
        if (EngineError.Code(said) != 0)
        {
            throw EngineError.OfInsert(said);
        }

        if (!string.IsNullOrWhiteSpace(said))
        {
            throw NoClickHouse("an INSERT", said);
        }
    }

    /// <summary>Whether an INSERT of a segment that was sent here is still under way.</summary>
    /// <exception cref="StoreException">The server refused or is out of reach.</exception>
    public async Task<bool> IsInsertingAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        // Without the content's hash: recovery may have taken a rotten block out since the segment was sent.
        string ids = segment.Token[..(segment.Token.LastIndexOf('/') + 1)];
        List<string[]> running = await ReadRowsAsync(
            $"SELECT count() FROM system.processes WHERE startsWith(query_id, {SqlText.Literal(ids)})", cancellationToken);
        return running[0][0] != "0";
    }

    /// <summary>Begins a query of a client; the answer is read by the caller, who disposes it.</summary>
    /// <exception cref="StoreException">The server refused or is out of reach.</exception>
    public Task<HttpResponseMessage> BeginQueryAsync(
        string query, QueryLimits limits, ServerFacts facts, TimeSpan timeout, CancellationToken cancellationToken)
    {
        IEnumerable<(string, string)> settings = Known(
            facts,
            [
                ("max_execution_time", Seconds(limits.MaxDuration)),
                ("max_memory_usage", Number(limits.MaxMemoryBytes)), ("max_threads", Number(limits.MaxThreads)),
                ("cancel_http_readonly_queries_on_client_close", "1"), ("http_write_exception_in_output_format", "0"),
            ]);
        // Not one of those that are left out where a server does not list them: without it the query must not run.
        string url = Address([("readonly", "1"), ("default_format", limits.DefaultFormat), .. settings]);
        return GuardAsync(
            async token =>
            {
                using var content = new StringContent(query, Encoding.UTF8, "text/plain");
                return await PostAsync(
                    url, content, HttpCompletionOption.ResponseHeadersRead, EngineError.OfQuery, token);
            },
            timeout, cancellationToken);
    }

    /// <summary>Runs a statement of ours and gives its whole answer.</summary>
    private Task<string> ReadAsync(
        string statement, IEnumerable<(string, string)> settings, CancellationToken cancellationToken) => GuardAsync(
        async token =>
        {
            using var content = new StringContent(statement, Encoding.UTF8, "text/plain");
            using HttpResponseMessage answer = await PostAsync(
                Address([("wait_end_of_query", "1"), .. settings]), content, HttpCompletionOption.ResponseContentRead,
                EngineError.OfQuery, token);
            return await answer.Content.ReadAsStringAsync(token);
        },
        Facts is null ? _options.ConnectTimeout * 2 : _options.StatementTimeout, cancellationToken);

    private async Task<HttpResponseMessage> PostAsync(
        string url, HttpContent content, HttpCompletionOption completion, Func<string, StoreException> fault,
        CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = content, Version = _http.DefaultRequestVersion, VersionPolicy = _http.DefaultVersionPolicy,
        };
        HttpResponseMessage answer = await _http.SendAsync(request, completion, cancellationToken);
        try
        {
            return await Refusal.ReadAsync(answer, cancellationToken) is { } refusal ? throw fault(refusal) : answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    /// <summary>Runs a call under the circuit breaker, and makes one kind of all the ways to be out of reach.</summary>
    private async Task<T> GuardAsync<T>(
        Func<CancellationToken, Task<T>> call, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await _breaker.ExecuteAsync(
                async token =>
                {
                    using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
                    limited.CancelAfter(timeout);
                    try
                    {
                        return await call(limited.Token);
                    }
                    catch (Exception e) when (e.InnerException is StoreException own)
                    {
                        // The body's own fault, which HttpClient wraps: the file, not the server.
                        throw own;
                    }
                    catch (Exception e) when (e is HttpRequestException or IOException)
                    {
                        throw new ReplicaDownException(e.InnerException?.Message ?? e.Message, e);
                    }
                    catch (Exception e) when (IsTimeout(e, token) && e.InnerException is TimeoutException)
                    {
                        throw new ReplicaDownException("no connection in time", e);
                    }
                    catch (Exception e) when (IsTimeout(e, token))
                    {
                        throw new ReplicaDownException(
                            string.Create(CultureInfo.InvariantCulture, $"no answer within {timeout.TotalSeconds:0.#} s"),
                            e);
                    }
                },
                cancellationToken);
        }
        catch (ReplicaDownException e)
        {
            _isDown = true;
            Volatile.Write(ref _facts, null);
            throw new StoreException($"{Url.Authority}: {e.Message}", StoreFault.Unavailable, e);
        }
        catch (BrokenCircuitException e)
        {
            throw new StoreException($"{Url.Authority}: left alone after failures", StoreFault.Unavailable, e);
        }
    }

    /// <summary>The fault of something before the server, such as a proxy, that answers in its place with a status of 200.</summary>
    private StoreException NoClickHouse(string question, string answer)
    {
        const int shown = 100;
        string text = answer.Length == 0 ? "nothing"
            : $"'{(answer.Length <= shown ? answer : answer[..shown] + "...").ReplaceLineEndings(" ")}'";
        Volatile.Write(ref _facts, null);
        return new StoreException(
            $"{Url.Authority}: {text} is no answer of ClickHouse to {question}", StoreFault.Unavailable);
    }

    private static bool IsTimeout(Exception e, CancellationToken caller) =>
        e is OperationCanceledException && !caller.IsCancellationRequested;

    private TimeSpan BreakDuration(int attempts)
    {
        double longest = Math.Min(
            _options.MaxBreakDuration.TotalSeconds, _options.BreakDuration.TotalSeconds * Math.Pow(2, attempts));
        return TimeSpan.FromSeconds(Math.Max(0.001, longest * (0.5 + (Random.Shared.NextDouble() / 2))));
    }

    private static IEnumerable<(string Name, string Value)> Known(
        ServerFacts? facts, IEnumerable<(string Name, string Value)> settings) =>
        settings.Where(s => facts?.Settings.Contains(s.Name) ?? false);

    private string Address(IEnumerable<(string Name, string Value)> parameters)
    {
        var url = new StringBuilder(_base).Append("?database=").Append(Uri.EscapeDataString(_options.Database));
        foreach ((string name, string value) in parameters)
        {
            url.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        return url.ToString();
    }

    private static string Seconds(TimeSpan time) =>
        Number(Math.Max(1, (long)Math.Ceiling(time.TotalSeconds)));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
