namespace Ingest.Cli.Input;

/// <summary>Reads the rows of one file. For one thread; allocates nothing per row but new text.</summary>
/// <typeparam name="TRow">The kind of row.</typeparam>
internal abstract class RowReader<TRow>(LineReader lines) : IDisposable
{
    /// <summary>The row read last. One object is used again and again: it is valid until the next read.</summary>
    public abstract TRow Row { get; }

    /// <summary>The line that the last row or fault stands on, from 1.</summary>
    public long Line => Lines.Line;

    /// <summary>Why the last line is no row; empty after a row.</summary>
    public string Fault { get; protected set; } = "";

    /// <summary>Columns of the file that have no place in the row, as the file names them.</summary>
    public abstract IReadOnlyList<string> UnusedColumns { get; }

    /// <summary>Where the lines come from.</summary>
    protected LineReader Lines { get; } = lines;

    /// <summary>Goes on to the next row or to the next line that is none.</summary>
    public abstract ReadOutcome Read();

    public void Dispose() => Lines.Dispose();

    /// <summary>Records a fault.</summary>
    protected ReadOutcome Fail(string fault)
    {
        Fault = fault;
        return ReadOutcome.Fault;
    }
}
