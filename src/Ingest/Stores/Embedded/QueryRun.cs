using System.Globalization;

namespace Ingest.Stores.Embedded;

/// <summary>One query: a read-only session of its own, made for it and closed with it.</summary>
/// <remarks>
/// All methods run on the query's <see cref="StoreThread"/>. A session costs 2 ms and leaves nothing behind; a longer
/// lived one would keep what a query changed. Limits are settings of the session, given before <c>readonly</c> holds.
/// </remarks>
internal sealed class QueryRun : IDisposable
{
    /// <summary>Longest text of a query; the engine's own limit is a quarter of it.</summary>
    private const long MaxQueryBytes = 1 << 20;

    private readonly string _text;
    private readonly EngineConnection _session;
    private readonly string _format;
    private readonly AnswerFormat _answer;
    private EngineResult? _stream;
    private EngineResult? _piece;
    private bool _ended;
    private bool _begun;
    private byte[]? _header;

    private QueryRun(string text, EngineConnection session, string format, AnswerFormat answer)
    {
        _text = text;
        _session = session;
        _format = format;
        _answer = answer;
    }

    /// <summary>Checks the text and opens the session that will run it.</summary>
    /// <param name="text">What the client sent.</param>
    /// <param name="limits">What it may use.</param>
    /// <param name="path">Data directory of the engine.</param>
    /// <param name="tag">Log comment by which the query is found when it is to be killed.</param>
    /// <param name="maxWholeBytes">Most bytes of an answer that cannot be streamed.</param>
    /// <exception cref="StoreException">It is refused.</exception>
    public static QueryRun Prepare(string text, QueryLimits limits, string path, string tag, long maxWholeBytes)
    {
        List<string> settings =
        [
            $"--path={path}", "--readonly=1", "--allow_introspection_functions=0", "--implicit_select=0",
            Setting("max_query_size", MaxQueryBytes),
            Setting("max_execution_time", Math.Max(1, (long)Math.Ceiling(limits.MaxDuration.TotalSeconds))),
            Setting("max_memory_usage", limits.MaxMemoryBytes), Setting("max_threads", limits.MaxThreads),
            $"--log_comment={tag}",
        ];
        EngineConnection session = EngineConnection.Open(settings);
        try
        {
            CheckedQuery query = QueryGuard.Check(session, text);
            string format = query.Format.Length > 0 ? query.Format : limits.DefaultFormat;
            AnswerFormat answer = query.IsSelect ? AnswerFormat.Of(format) : default;
            if (!answer.IsStreamed)
            {
                session.Dispose();
                settings.Add(Setting("max_result_bytes", maxWholeBytes));
                session = EngineConnection.Open(settings);
            }

            return new QueryRun(query.Text, session, format, answer);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The next piece of the answer, valid until the next call; empty at the end.</summary>
    /// <exception cref="StoreException">The query failed.</exception>
    public ReadOnlyMemory<byte> Next()
    {
        _piece?.Dispose();
        _piece = null;
        if (_ended)
        {
            return default;
        }

        if (!_answer.IsStreamed)
        {
            _ended = true;
            _piece = _session.Run(_text, _format);
            return Memory(_piece, 0);
        }

        try
        {
            _stream ??= _session.BeginQuery(_text, _format);
            _piece = _session.Fetch(_stream);
        }
        catch
        {
            _ended = true;
            throw;
        }

        if (_piece.Length == 0)
        {
            _ended = true;
            return default;
        }

        return Memory(_piece, RepeatedHeader(_piece.Bytes));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _piece?.Dispose();
        if (_stream is not null)
        {
            if (!_ended)
            {
                _session.CancelQuery(_stream);
            }

            _stream.Dispose();
        }

        _session.Dispose();
    }

    private static string Setting(string name, long value) =>
        string.Create(CultureInfo.InvariantCulture, $"--{name}={value}");

    private static unsafe ReadOnlyMemory<byte> Memory(EngineResult piece, int skip) =>
        new NativePiece(piece.Buffer + skip, piece.Length - skip).Memory;

    /// <summary>Bytes at the piece's beginning that repeat the header of the first one.</summary>
    private int RepeatedHeader(ReadOnlySpan<byte> piece)
    {
        if (!_begun)
        {
            _begun = true;
            _header = piece[.._answer.HeaderLength(piece)].ToArray();
            return 0;
        }

        return piece.StartsWith(_header) ? _header!.Length : 0;
    }
}
