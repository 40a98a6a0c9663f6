using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;
using Ingest.Schema;
using StringColumn = Ingest.Columns.StringColumn;

namespace Ingest.Decoding;

/// <summary>
/// Reads rows of a table, protobuf messages on the wire, straight into the columns of a batch. Compiled once from the
/// message's descriptor; no message object is ever made.
/// </summary>
/// <remarks>
/// Hot: runs on the thread that reads a stream and allocates 0 bytes a row in steady state; watched by
/// DecodeBenchmarks. It has no state of its own, so all streams share it; a row's state lies in the batch, which has
/// one owner at a time. It accepts and refuses what Google.Protobuf does, and invalid UTF-8 besides.
/// </remarks>
public sealed partial class RowDecoder
{
    // Rows in sequence that the program has declined, after which a batch does not try it any more.
    private const int MaxDeclined = 32;

    private readonly TagTable<FieldPlan> _root;
    private readonly RowCheck[] _checks;
    private readonly Absence[] _required;
    private readonly Absence[] _nestedAbsences;
    private readonly FieldPlan[] _leaves;
    private readonly FieldPlan[] _deferred;
    private readonly ulong[] _leafBits;
    private readonly ulong[] _requiredBits;
    private readonly RowProgram? _program;

    /// <summary>Compiles the plan for a table.</summary>
    public RowDecoder(TableSchema table)
        : this(table, emitsCode: true)
    {
    }

    /// <summary>Compiles the plan; without emitted code every row is read by the interpreter.</summary>
    internal RowDecoder(TableSchema table, bool emitsCode)
    {
        Table = table;
        var compiler = new PlanCompiler(table);
        _root = compiler.Root;
        _checks = [.. compiler.Checks];
        _required = [.. compiler.Absences.Where(a => a.Parent is null)];
        _nestedAbsences = [.. compiler.Absences.Where(a => a.Parent is not null)];
        _leaves = [.. compiler.Leaves.OrderBy(l => l.Column)];
        _deferred = [.. compiler.Deferred];
        int bits = PresenceBits.Count(table.Fields);
        int words = (bits + 63) / 64;
        _leafBits = Bits(_leaves, words);
        _requiredBits = Bits(_required.Select(r => r.Plan), words);
        _program = emitsCode ? RowProgram.TryCompile(compiler, bits) : null;
    }

    /// <summary>The table whose rows it reads.</summary>
    public TableSchema Table { get; }

    /// <summary>Whether rows in the usual order are read by emitted code.</summary>
    internal bool HasProgram => _program is not null;

    /// <summary>All fields with a column, by column.</summary>
    internal FieldPlan[] Leaves => _leaves;

    /// <summary>Rules on the values that a row has.</summary>
    internal RowCheck[] Checks => _checks;

    /// <summary>Rules on the values that a row does not have.</summary>
    internal IEnumerable<Absence> Absences => _required.Concat(_nestedAbsences);

    /// <summary>Appends one row to a batch.</summary>
    /// <param name="row">The serialized message.</param>
    /// <param name="batch">A batch of <see cref="Table"/>.</param>
    /// <param name="nowSeconds">The server's clock in Unix seconds, against which timestamps are checked.</param>
    /// <param name="fault">Why the row was rejected.</param>
    /// <returns>Whether the row is in the batch; if not, the batch is as it was.</returns>
    public RowResult TryAppend(ReadOnlySpan<byte> row, Batch batch, long nowSeconds, out RowFault fault) => TryAppend(
        ref MemoryMarshal.GetReference(row), 0, row.Length, row.Length, batch, nowSeconds, out fault);

    /// <summary>Appends one row to a batch.</summary>
    /// <param name="source">The bytes that the row lies in.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="limit">Where the bytes end that may be read, though not taken for the row's.</param>
    /// <param name="batch">A batch of <see cref="Table"/>.</param>
    /// <param name="nowSeconds">The server's clock in Unix seconds.</param>
    /// <param name="fault">Why the row was rejected.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal RowResult TryAppend(
        ref byte source, int at, int end, int limit, Batch batch, long nowSeconds, out RowFault fault)
    {
        int place = batch.BeginRow();
        if (_program is { } program && batch.Declined < MaxDeclined)
        {
            if (program.TryRead(ref source, at, end, limit, batch.Columns, place, nowSeconds, out ulong touched))
            {
                batch.Declined = 0;
                batch.CommitRow();
                fault = default;
                return RowResult.Accepted;
            }

            batch.Declined++;
            batch.Seen[0] = touched;
            Rewind(batch, place);
        }

        return Interpret(
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, at), end - at), batch, place, nowSeconds, out fault);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RowResult Interpret(ReadOnlySpan<byte> row, Batch batch, int place, long nowSeconds, out RowFault fault)
    {
        Span<ulong> seen = batch.Seen;
        seen.Clear();
        if (_deferred.Length > 0)
        {
            batch.Scratch.BeginRow(_deferred.Length);
        }

        ref byte source = ref MemoryMarshal.GetReference(row);
        fault = default;
        if (!Read(_root, ref source, 0, row.Length, batch, place, depth: 1))
        {
            Rewind(batch, place);
            return RowResult.Malformed;
        }

        if (_deferred.Length > 0)
        {
            WriteDeferred(ref source, batch, place);
        }

        if (!Satisfies(batch, place, nowSeconds, out fault))
        {
            Rewind(batch, place);
            return RowResult.Rejected;
        }

        for (int word = 0; word < seen.Length; word++)
        {
            for (ulong missing = _leafBits[word] & ~seen[word]; missing != 0; missing &= missing - 1)
            {
                int column = (word * 64) + System.Numerics.BitOperations.TrailingZeroCount(missing);
                batch.Columns[column].WriteDefault(place);
            }
        }

        batch.CommitRow();
        return RowResult.Accepted;
    }

    private static bool Read(
        TagTable<FieldPlan> plan, ref byte source, int at, int end, Batch batch, int row, int depth)
    {
        ref ulong seenWords = ref MemoryMarshal.GetArrayDataReference(batch.Seen);
        ref Column columns = ref MemoryMarshal.GetArrayDataReference(batch.Columns);
        while (at < end)
        {
            uint tag = Unsafe.Add(ref source, at++);
            if (tag >= 0x80 || tag < 8)
            {
                at = Wire.ReadTag(ref source, at - 1, end, out tag);
                if (at < 0)
                {
                    return false;
                }
            }

            FieldPlan? field = plan.Find(tag);
            if (field is null)
            {
                at = Wire.Skip(ref source, at, end, tag, depth);
                if (at < 0)
                {
                    return false;
                }

                continue;
            }

            ref ulong seen = ref Unsafe.Add(ref seenWords, field.Word);
            if (field.InOneof)
            {
                ClearSiblings(field, batch, row);
            }

            Column column = field.Column < 0 ? null! : Unsafe.Add(ref columns, field.Column);
            if (field.Nullable && column is NullableColumn nullable)
            {
                nullable.MarkPresent(row);
                column = nullable.Values;
            }

            ulong number;
            int length;
            switch (field.Op)
            {
                case FieldOp.Fixed64:
                    if (end - at < sizeof(ulong))
                    {
                        return false;
                    }

                    Unsafe.WriteUnaligned(
                        ref Unsafe.As<FixedColumn>(column).Slot(row),
                        Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at)));
                    at += sizeof(ulong);
                    break;

                case FieldOp.Fixed32:
                    if (end - at < sizeof(uint))
                    {
                        return false;
                    }

                    Unsafe.WriteUnaligned(
                        ref Unsafe.As<FixedColumn>(column).Slot(row),
                        Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at)));
                    at += sizeof(uint);
                    break;

                case FieldOp.String:
                    at = Wire.ReadLength(ref source, at, end, out length);
                    if (at < 0)
                    {
                        return false;
                    }

                    WriteString(field, ref source, at, length, end - at, column, batch, ref seen);
                    at += length;
                    continue;

                case FieldOp.LowCardinality:
                    at = Wire.ReadLength(ref source, at, end, out length);
                    if (at < 0)
                    {
                        return false;
                    }

                    WriteToDictionary(field, ref source, at, length, column, batch, row, ref seen);
                    at += length;
                    continue;

                case FieldOp.Enum:
                    at = Wire.ReadVarint(ref source, at, end, out number);
                    if (at < 0)
                    {
                        return false;
                    }

                    Unsafe.As<LowCardinalityColumn>(column).WriteEnum(row, (int)number);
                    break;

                case FieldOp.Message:
                    at = Wire.ReadLength(ref source, at, end, out length);
                    if (at < 0 || depth >= Wire.MaxDepth
                        || !Read(field.Nested!, ref source, at, at + length, batch, row, depth + 1))
                    {
                        return false;
                    }

                    at += length;
                    break;

                case FieldOp.Timestamp:
                case FieldOp.Duration:
                    at = ReadMoment(field, ref source, at, end, batch, column, row, (seen & field.Bit) != 0, depth);
                    if (at < 0)
                    {
                        return false;
                    }

                    break;

                case FieldOp.Bool:
                case FieldOp.Varint32:
                case FieldOp.Varint64:
                case FieldOp.ZigZag32:
                case FieldOp.ZigZag64:
                    at = Wire.ReadVarint(ref source, at, end, out number);
                    if (at < 0)
                    {
                        return false;
                    }

                    WriteNumber(field.Op, ref Unsafe.As<FixedColumn>(column).Slot(row), number);
                    break;

                default:
                    at = ReadMany(field, ref source, at, end, batch, column, row, depth);
                    if (at < 0)
                    {
                        return false;
                    }

                    continue;
            }

            seen |= field.Bit;
        }

        return at == end;
    }

    // Of several occurrences the last one counts.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteString(
        FieldPlan field, ref byte source, int at, int length, int slack, Column column, Batch batch, ref ulong seen)
    {
        StringColumn text = Unsafe.As<StringColumn>(column);
        if ((seen & field.Bit) != 0)
        {
            text.Rewind(0);
            seen &= ~field.Bit;
        }

        if (length == 0 && field.EmptyIsAbsent)
        {
            return;
        }

        if (text.TryAppend(ref Unsafe.Add(ref source, at), length, slack, field.Validate))
        {
            seen |= field.Bit;
        }
        else
        {
            batch.UnreadableText ??= field;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteToDictionary(
        FieldPlan field, ref byte source, int at, int length, Column column, Batch batch, int row, ref ulong seen)
    {
        if ((seen & field.Bit) != 0)
        {
            column.Rewind(row);
            seen &= ~field.Bit;
        }

        if (length == 0 && field.EmptyIsAbsent)
        {
            return;
        }

        ReadOnlySpan<byte> value = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, at), length);
        if (Unsafe.As<LowCardinalityColumn>(column).TryWrite(row, value, field.Validate))
        {
            seen |= field.Bit;
        }
        else
        {
            batch.UnreadableText ??= field;
        }
    }

    internal static void WriteNumber(FieldOp op, ref byte slot, ulong number)
    {
        ulong value = Wire.ValueOf(op, number);
        switch (op)
        {
            case FieldOp.Bool:
                slot = (byte)value;
                break;
            case FieldOp.Varint32 or FieldOp.ZigZag32:
                Unsafe.WriteUnaligned(ref slot, (uint)value);
                break;
            default:
                Unsafe.WriteUnaligned(ref slot, value);
                break;
        }
    }

    private static ulong[] Bits(IEnumerable<FieldPlan> plans, int words)
    {
        var bits = new ulong[words];
        foreach (FieldPlan plan in plans)
        {
            bits[plan.Word] |= plan.Bit;
        }

        return bits;
    }
}
