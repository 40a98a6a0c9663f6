namespace Ingest.Cli.Input;

/// <summary>What a <see cref="RowReader{TRow}"/> came upon.</summary>
internal enum ReadOutcome
{
    /// <summary>The end of the file.</summary>
    End,

    /// <summary>A row.</summary>
    Row,

    /// <summary>A line that is no row; the next read goes on behind it.</summary>
    Fault,
}
