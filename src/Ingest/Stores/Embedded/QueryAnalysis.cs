using System.Runtime.InteropServices;

namespace Ingest.Stores.Embedded;

/// <summary><c>chdb_query_analysis_v1</c>: what the engine's parser says of a text.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct QueryAnalysis
{
    /// <summary>Size of this struct in bytes, set by the caller.</summary>
    public uint StructSize;

    /// <summary>Statements in the text; 0 when it did not parse.</summary>
    public uint StatementCount;

    /// <summary>Not read here.</summary>
    public uint Flags;

    /// <summary>The most that one of its statements does.</summary>
    public StatementClass Class;
}
