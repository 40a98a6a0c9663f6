namespace Ingest.Stores.Embedded;

/// <summary><c>chdb_query_class</c>: what a statement does to what outlives it.</summary>
internal enum StatementClass : uint
{
    /// <summary>SELECT, SHOW, DESCRIBE, EXPLAIN, EXISTS, CHECK.</summary>
    ReadOnly = 0,

    /// <summary>Changes a database.</summary>
    Mutating = 1,

    /// <summary>Changes users, functions, collections.</summary>
    MutatingGlobal = 2,

    /// <summary>Changes the session, the server or a file: SET, USE, KILL, INTO OUTFILE.</summary>
    Control = 3,

    /// <summary>Did not parse, or is not known.</summary>
    Unknown = 4,
}
