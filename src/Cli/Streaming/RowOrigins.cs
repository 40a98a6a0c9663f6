namespace Ingest.Cli.Streaming;

/// <summary>
/// Where the rows of a stream stood, so that a rejected row can be named. Kept as runs of rows that follow each other
/// line by line or share a line: a file costs one run, and one more for each line in it that was no row, or each trip.
/// </summary>
internal sealed class RowOrigins
{
    private readonly List<Run> _runs = [];
    private long _rows;
    private long _lastLine;

    /// <summary>Notes the next row of the stream.</summary>
    public void Add(string path, long line)
    {
        if (_runs.Count > 0 && Continues(_runs[^1], path, line))
        {
            if (_rows - _runs[^1].FirstRow == 1)
            {
                _runs[^1] = _runs[^1] with { LineStep = (int)(line - _lastLine) };
            }
        }
        else
        {
            _runs.Add(new Run(_rows, path, line, LineStep: 1));
        }
        _rows++;
        _lastLine = line;
    }

    /// <summary>The place of a row as `path:line`.</summary>
    /// <param name="row">The row, from 0.</param>
    public string Find(long row)
    {
        if (row < 0 || row >= _rows)
        {
            return $"row {row}";
        }
        var low = 0;
        var high = _runs.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _runs[middle].FirstRow <= row ? (middle, high) : (low, middle - 1);
        }
        var run = _runs[low];
        return $"{run.Path}:{run.FirstLine + ((row - run.FirstRow) * run.LineStep)}";
    }

    private bool Continues(Run run, string path, long line)
    {
        var step = line - _lastLine;
        return ReferenceEquals(run.Path, path)
            && (_rows - run.FirstRow == 1 ? step is 0 or 1 : step == run.LineStep);
    }

    private readonly record struct Run(long FirstRow, string Path, long FirstLine, int LineStep);
}
