using System.Runtime.InteropServices;
using System.Text;

namespace Ingest.Stores.Embedded;

/// <summary>A connection to the embedded engine: a session that runs one statement at a time.</summary>
/// <remarks>Used by one <see cref="StoreThread"/> alone; every method blocks.</remarks>
internal sealed unsafe class EngineConnection : SafeHandle
{
    private EngineConnection(nint* connection)
        : base(0, ownsHandle: true) => SetHandle((nint)connection);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>What the functions of the library take: the dereferenced pointer.</summary>
    public nint Pointer => *(nint*)handle;

    /// <summary>Opens a connection; the first one of a process starts the engine.</summary>
    /// <param name="arguments"><c>--name=value</c>: of the server, read by the first connection alone, and of the session.</param>
    /// <exception cref="StoreException">The engine refused; it has written the reason to the standard error.</exception>
    public static EngineConnection Open(IReadOnlyList<string> arguments)
    {
        byte*[] pointers = new byte*[arguments.Count + 1];
        try
        {
            pointers[0] = (byte*)Marshal.StringToCoTaskMemUTF8("clickhouse");
            for (int i = 0; i < arguments.Count; i++)
            {
                pointers[i + 1] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
            }

            fixed (byte** first = pointers)
            {
                nint* connection = LibChdb.Connect(pointers.Length, first);
                return connection != null && *connection != 0
                    ? new EngineConnection(connection)
                    : throw new StoreException(
                        "The embedded ClickHouse did not start; its own message stands above on the standard error.",
                        StoreFault.Unavailable);
            }
        }
        finally
        {
            foreach (byte* pointer in pointers)
            {
                Marshal.FreeCoTaskMem((nint)pointer);
            }
        }
    }

    /// <summary>Runs one statement and holds its whole answer.</summary>
    /// <exception cref="StoreException">The engine refused or failed.</exception>
    public EngineResult Run(string statement, string format = "TabSeparated")
    {
        byte[] query = Encoding.UTF8.GetBytes(statement);
        byte[] formatName = Encoding.UTF8.GetBytes(format);
        fixed (byte* q = query, f = formatName)
        {
            return EngineResult.Take(LibChdb.Query(Pointer, q, (nuint)query.Length, f, (nuint)formatName.Length));
        }
    }

    /// <summary>Runs one statement that answers one text.</summary>
    /// <exception cref="StoreException">The engine refused or failed.</exception>
    public string ReadText(string statement)
    {
        using EngineResult result = Run(statement, "RawBLOB");
        return Encoding.UTF8.GetString(result.Bytes);
    }

    /// <summary>Runs one statement and gives its answer as rows of unescaped text values.</summary>
    /// <exception cref="StoreException">The engine refused or failed.</exception>
    public List<string[]> ReadRows(string statement)
    {
        using EngineResult result = Run(statement, "TabSeparatedRaw");
        string text = Encoding.UTF8.GetString(result.Bytes);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
    }

    /// <summary>What the engine's parser says of a text, without running it.</summary>
    public QueryAnalysis Classify(string text)
    {
        byte[] query = Encoding.UTF8.GetBytes(text);
        var analysis = new QueryAnalysis { StructSize = (uint)sizeof(QueryAnalysis), Class = StatementClass.Unknown };
        fixed (byte* q = query)
        {
            return LibChdb.Classify(Pointer, q, (nuint)query.Length, null, 0, &analysis) == 0
                ? analysis
                : new QueryAnalysis { Class = StatementClass.Unknown };
        }
    }

    /// <summary>Begins a query whose answer is fetched piece by piece.</summary>
    /// <exception cref="StoreException">The engine refused or failed.</exception>
    public EngineResult BeginQuery(string statement, string format)
    {
        byte[] query = Encoding.UTF8.GetBytes(statement);
        byte[] formatName = Encoding.UTF8.GetBytes(format);
        fixed (byte* q = query, f = formatName)
        {
            return EngineResult.Take(
                LibChdb.StreamQuery(Pointer, q, (nuint)query.Length, f, (nuint)formatName.Length));
        }
    }

    /// <summary>The next piece of an answer; empty at its end.</summary>
    /// <exception cref="StoreException">The query failed.</exception>
    public EngineResult Fetch(EngineResult stream) =>
        EngineResult.Take(LibChdb.StreamFetch(Pointer, stream.DangerousGetHandle()));

    /// <summary>Ends a query whose answer was not fetched to its end.</summary>
    public void CancelQuery(EngineResult stream) => LibChdb.StreamCancel(Pointer, stream.DangerousGetHandle());

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LibChdb.CloseConnection((nint*)handle);
        return true;
    }
}
