using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Ingest.Stores.Embedded;

/// <summary>The functions of libchdb that the store calls, as its header <c>chdb.h</c> declares them (26.7).</summary>
/// <remarks>
/// Every call may block for as long as the engine likes, so none is made on the thread pool: see
/// <see cref="StoreThread"/>. A connection runs one statement at a time; several connections run side by side.
/// </remarks>
internal static unsafe partial class LibChdb
{
    private const string Name = "chdb";

    // The engine's allocator, jemalloc, keeps what was freed for 5 s unless told otherwise, which beside inserts and merges
    // is 100 to 200 MiB. Its settings come from the environment alone, once, when the library is loaded.
    private const string AllocatorVariable = "JE_MALLOC_CONF";
    private const string AllocatorSettings = "dirty_decay_ms:500";

    private static readonly Lock s_loading = new();
    private static nint s_library;

    /// <summary>Loads the library once a process; a second call with another path has no effect.</summary>
    /// <exception cref="StoreException">It cannot be had here; the message says why in one sentence.</exception>
    public static void Load(string configuredPath)
    {
        lock (s_loading)
        {
            if (s_library != 0)
            {
                return;
            }

            string path = Check(configuredPath);
            if (!OperatingSystem.IsWindows())
            {
                // .NET's own environment is a copy that native code does not see. What the user has set stays.
                _ = SetEnvironment(AllocatorVariable, AllocatorSettings, overwrite: 0);
            }

            if (!NativeLibrary.TryLoad(path, out s_library))
            {
                throw new StoreException(
                    $"The embedded ClickHouse could not be loaded from {path}: the file is not a library for "
                    + $"{RuntimeInformation.RuntimeIdentifier}, or a system library that it needs is missing.",
                    StoreFault.Unavailable);
            }

            NativeLibrary.SetDllImportResolver(
                Assembly.GetExecutingAssembly(), static (name, _, _) => name == Name ? s_library : 0);

            // With the engine's handlers in place the first NullReferenceException of .NET hangs the process.
            SetSignalHandlersEnabled(0);
        }
    }

    /// <summary>Path of the library that <see cref="Load"/> would load.</summary>
    /// <exception cref="StoreException">It cannot be had here; the message says why in one sentence.</exception>
    public static string Check(string configuredPath)
    {
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64 && !Avx2.IsSupported)
        {
            throw new StoreException(
                "The embedded ClickHouse needs a CPU with AVX2, which this one lacks; use a ClickHouse server instead "
                + "(Ingest:Store:Kind=clickhouse).",
                StoreFault.Unavailable);
        }

        return LibChdbLocation.Find(configuredPath);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport(Name, EntryPoint = "chdb_set_signal_handlers_enabled")]
    private static partial void SetSignalHandlersEnabled(int enabled);

    /// <summary>Returns a pointer to the connection pointer, or null.</summary>
    [LibraryImport(Name, EntryPoint = "chdb_connect")]
    public static partial nint* Connect(int argumentCount, byte** arguments);

    [LibraryImport(Name, EntryPoint = "chdb_close_conn")]
    public static partial void CloseConnection(nint* connection);

    [LibraryImport(Name, EntryPoint = "chdb_query_n")]
    public static partial nint Query(
        nint connection, byte* query, nuint queryLength, byte* format, nuint formatLength);

    [LibraryImport(Name, EntryPoint = "chdb_stream_query_n")]
    public static partial nint StreamQuery(
        nint connection, byte* query, nuint queryLength, byte* format, nuint formatLength);

    [LibraryImport(Name, EntryPoint = "chdb_stream_fetch_result")]
    public static partial nint StreamFetch(nint connection, nint stream);

    [LibraryImport(Name, EntryPoint = "chdb_stream_cancel_query")]
    public static partial void StreamCancel(nint connection, nint stream);

    [LibraryImport(Name, EntryPoint = "chdb_classify_query_n")]
    public static partial int Classify(
        nint connection, byte* query, nuint queryLength, byte* database, nuint databaseLength,
        QueryAnalysis* analysis);

    [LibraryImport(Name, EntryPoint = "chdb_stream_insert_n")]
    public static partial nint InsertBegin(
        nint connection, byte* query, nuint queryLength, byte* format, nuint formatLength);

    /// <summary>Copies the bytes; blocks while 16 earlier pieces wait. 0 is success.</summary>
    [LibraryImport(Name, EntryPoint = "chdb_stream_append")]
    public static partial int InsertAppend(nint stream, byte* data, nuint length);

    [LibraryImport(Name, EntryPoint = "chdb_stream_done")]
    public static partial nint InsertDone(nint stream);

    [LibraryImport(Name, EntryPoint = "chdb_stream_cancel_insert")]
    public static partial void InsertCancel(nint stream);

    [LibraryImport(Name, EntryPoint = "chdb_stream_insert_error")]
    public static partial byte* InsertError(nint stream);

    [LibraryImport(Name, EntryPoint = "chdb_destroy_insert_stream")]
    public static partial void DestroyInsert(nint stream);

    [LibraryImport(Name, EntryPoint = "chdb_destroy_query_result")]
    public static partial void DestroyResult(nint result);

    [LibraryImport(Name, EntryPoint = "chdb_result_buffer")]
    public static partial byte* ResultBuffer(nint result);

    [LibraryImport(Name, EntryPoint = "chdb_result_length")]
    public static partial nuint ResultLength(nint result);

    [LibraryImport(Name, EntryPoint = "chdb_result_error")]
    public static partial byte* ResultError(nint result);
}
