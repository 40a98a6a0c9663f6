namespace Ingest.Stores;

/// <summary>Kinds of fault of a store.</summary>
public enum StoreFault
{
    /// <summary>Out of reach or overloaded: try again later.</summary>
    Unavailable,

    /// <summary>The data was refused: the same bytes will be refused again.</summary>
    BadData,

    /// <summary>The statement was refused: wrong SQL, unknown table, a limit.</summary>
    BadQuery,

    /// <summary>A write where only reading is allowed.</summary>
    ReadOnly,
}
