using System.Globalization;
using System.Text;
using Ingest.Cli.Binding;

namespace Ingest.Cli.Input;

/// <summary>Reads rows from delimited columns.</summary>
/// <remarks>
/// One thread; 0 bytes a row but for text that did not come lately. A record with another number of columns than the
/// header is a fault; blank lines are left out.
/// </remarks>
internal sealed class DelimitedReader<TRow> : RowReader<TRow>
{
    private readonly DelimitedLayout _layout;
    private readonly RowBinder<TRow> _binder;
    private readonly int[] _fields;
    private readonly List<string> _unused = [];
    private byte[] _unquoted = new byte[256];

    /// <exception cref="UsageException">The columns do not make a row; the message says what is missing.</exception>
    public DelimitedReader(LineReader lines, DelimitedLayout layout, RowBinder<TRow> binder)
        : base(lines)
    {
        _layout = layout;
        _binder = binder;
        var names = layout.Columns ?? [];
        for (var i = 0; i < layout.HeaderLines; i++)
        {
            if (lines.TryReadRecord(out var header) && layout.Columns is null)
            {
                names = SplitHeader(header);
            }
        }
        _fields = Bind(names);
    }

    public override TRow Row => _binder.Row;

    public override IReadOnlyList<string> UnusedColumns => _unused;

    public override ReadOutcome Read()
    {
        while (true)
        {
            var any = _layout.Quoted ? Lines.TryReadRecord(out var record) : Lines.TryRead(out record);
            if (!any)
            {
                return ReadOutcome.End;
            }
            if (!record.IsEmpty)
            {
                return ReadRecord(record);
            }
        }
    }

    private ReadOutcome ReadRecord(ReadOnlySpan<byte> record)
    {
        _binder.Begin();
        var rest = record;
        for (var column = 0; ; column++)
        {
            if (!TryTakeColumn(ref rest, out var value, out var isLast))
            {
                return Fail("a quote is not closed");
            }
            if (column >= _fields.Length)
            {
                return Fail(Count(record));
            }
            var field = _fields[column];
            if (field >= 0 && !_binder.TrySet(field, value))
            {
                return Fail(_binder.Describe(field, value));
            }
            if (isLast)
            {
                if (column + 1 < _fields.Length)
                {
                    return Fail(Count(record));
                }
                break;
            }
        }
        return _binder.Complete(Line) is { } fault ? Fail(fault) : ReadOutcome.Row;
    }

    /// <summary>
    /// <c>record = column *(delimiter column); column = *char / DQUOTE *(char / 2DQUOTE) DQUOTE</c>
    /// </summary>
    private bool TryTakeColumn(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value, out bool isLast)
    {
        if (_layout.Quoted && !rest.IsEmpty && rest[0] == '"')
        {
            return TryTakeQuoted(ref rest, out value, out isLast);
        }
        var end = rest.IndexOf(_layout.Delimiter);
        isLast = end < 0;
        value = isLast ? rest : rest[..end];
        rest = isLast ? default : rest[(end + 1)..];
        return true;
    }

    private bool TryTakeQuoted(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value, out bool isLast)
    {
        if (_unquoted.Length < rest.Length)
        {
            _unquoted = new byte[rest.Length * 2];
        }
        var length = 0;
        var i = 1;
        while (true)
        {
            var quote = rest[i..].IndexOf((byte)'"');
            if (quote < 0)
            {
                value = default;
                isLast = true;
                return false;
            }
            rest.Slice(i, quote).CopyTo(_unquoted.AsSpan(length));
            length += quote;
            i += quote + 1;
            if (i >= rest.Length || rest[i] != '"')
            {
                break;
            }
            _unquoted[length++] = (byte)'"';
            i++;
        }
        value = _unquoted.AsSpan(0, length);
        isLast = i == rest.Length;
        if (!isLast && rest[i] != _layout.Delimiter)
        {
            return false;
        }
        rest = isLast ? default : rest[(i + 1)..];
        return true;
    }

    private string[] SplitHeader(ReadOnlySpan<byte> header)
    {
        var names = new List<string>();
        var isLast = false;
        while (!isLast)
        {
            if (!TryTakeColumn(ref header, out var name, out isLast))
            {
                throw new UsageException("the header has a quote that is not closed");
            }
            names.Add(Encoding.UTF8.GetString(name).Trim());
        }
        return [.. names];
    }

    /// <summary>The field of each column. Of columns that mean the same field, the one with the best name has it.</summary>
    private int[] Bind(string[] names)
    {
        var fields = new int[names.Length];
        var ranks = new int[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            (fields[i], ranks[i]) = names[i].Length == 0 ? (-1, int.MaxValue) : _binder.Resolve(names[i]);
            for (var other = 0; other < i && fields[i] >= 0; other++)
            {
                if (fields[other] == fields[i])
                {
                    var loser = ranks[other] <= ranks[i] ? i : other;
                    fields[loser] = _binder.ResolveExtra(names[loser]);
                }
            }
        }
        for (var i = 0; i < names.Length; i++)
        {
            if (fields[i] < 0 && names[i].Length > 0)
            {
                _unused.Add(names[i]);
            }
        }
        return _binder.FindMissing(fields) is { } missing ? throw new UsageException(missing) : fields;
    }

    private string Count(ReadOnlySpan<byte> record)
    {
        var count = 0;
        var isLast = false;
        while (!isLast && TryTakeColumn(ref record, out _, out isLast))
        {
            count++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{count} columns where {_fields.Length} are due");
    }
}
