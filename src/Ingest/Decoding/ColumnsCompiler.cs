using Google.Protobuf.Reflection;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Decoding;

/// <summary>
/// Compiles a columns message into the steps of a walk and the columns that it fills: a field goes to the table's
/// column of the same name.
/// </summary>
internal sealed class ColumnsCompiler
{
    private readonly TableSchema _table;
    private readonly RowDecoder _rows;
    private readonly List<ColumnPlan> _plans = [];

    public ColumnsCompiler(RowDecoder rows, MessageDescriptor form)
    {
        (_table, _rows) = (rows.Table, rows);
        var steps = new Dictionary<uint, ColumnsStep>();
        foreach (FieldDescriptor field in form.Fields.InFieldNumberOrder())
        {
            if (field.Name == "row_count")
            {
                steps.Add(Wire.Tag(field.FieldNumber, Wire.Varint), new ColumnsStep(ColumnsOp.RowCount, -1));
            }
            else
            {
                Add(field, steps);
            }
        }

        Root = new TagTable<ColumnsStep>(steps);
    }

    public TagTable<ColumnsStep> Root { get; }

    /// <summary>The columns that the message has.</summary>
    public ColumnPlan[] Plans => [.. _plans];

    /// <summary>Number of the repeated fields in it, those of nested messages included.</summary>
    public int Slots { get; private set; }

    private void Add(FieldDescriptor field, Dictionary<uint, ColumnsStep> steps)
    {
        FieldPlan row = _rows.Leaves.FirstOrDefault(l => _table.Columns[l.Column].Name == field.Name)
            ?? throw Unfit(field, "has no column of that name");
        ColumnKind kind = KindOf(field, row.Node);
        int slot = Slots;
        int width = kind == ColumnKind.Fixed ? Wire.TypeOf(row.Node.Kind) == Wire.I64 ? 8 : 4 : 0;
        RowCheck[] checks = [.. _rows.Checks.Where(c => c.Plan == row)];
        _plans.Add(new ColumnPlan(_plans.Count, field.Name, kind, slot, width, row, checks));
        switch (kind)
        {
            case ColumnKind.Text:
                AddNested(field, steps, -1, TextSteps());
                break;
            case ColumnKind.TextList:
                var list = new Dictionary<uint, ColumnsStep>();
                AddNumbers(StringListColumn.LengthsFieldNumber, Wire.Varint, 0, list);
                AddNested(
                    StringListColumn.Descriptor.FindFieldByNumber(StringListColumn.ItemsFieldNumber), list, -1,
                    TextSteps());
                AddNested(field, steps, -1, list);
                break;
            case ColumnKind.Timestamp:
                var times = new Dictionary<uint, ColumnsStep>();
                int presence = Slots++;
                times.Add(
                    Wire.Tag(TimestampColumn.FirstMicrosFieldNumber, Wire.I64),
                    new ColumnsStep(ColumnsOp.Fixed64, Slots++));
                AddNumbers(TimestampColumn.DeltaMicrosFieldNumber, Wire.Varint, 0, times);
                AddNested(field, steps, presence, times);
                break;
            case ColumnKind.Struct:
                steps.Add(Wire.Tag(field.FieldNumber, Wire.Len), new ColumnsStep(ColumnsOp.Item, Slots++));
                break;
            default:
                AddNumbers(field.FieldNumber, Wire.TypeOf(row.Node.Kind), width, steps);
                break;
        }
    }

    private static void AddNested(
        FieldDescriptor field, Dictionary<uint, ColumnsStep> steps, int slot, Dictionary<uint, ColumnsStep> nested) =>
        steps.Add(
            Wire.Tag(field.FieldNumber, Wire.Len),
            new ColumnsStep(ColumnsOp.Message, slot, Nested: new TagTable<ColumnsStep>(nested)));

    // Dictionary, indexes, values: in this order.
    private Dictionary<uint, ColumnsStep> TextSteps()
    {
        var steps = new Dictionary<uint, ColumnsStep>
        {
            [Wire.Tag(StringColumn.DictionaryFieldNumber, Wire.Len)] = new(ColumnsOp.Item, Slots++),
        };
        AddNumbers(StringColumn.IndexesFieldNumber, Wire.Varint, 0, steps);
        steps.Add(Wire.Tag(StringColumn.ValuesFieldNumber, Wire.Len), new ColumnsStep(ColumnsOp.Item, Slots++));
        return steps;
    }

    // Numbers are read packed or not, whatever the schema says.
    private void AddNumbers(int fieldNumber, uint wireType, int width, Dictionary<uint, ColumnsStep> steps)
    {
        int slot = Slots++;
        steps.Add(Wire.Tag(fieldNumber, Wire.Len), new ColumnsStep(ColumnsOp.Packed, slot, width, wireType));
        steps.Add(Wire.Tag(fieldNumber, wireType), new ColumnsStep(ColumnsOp.Single, slot, width, wireType));
    }

    private static ColumnKind KindOf(FieldDescriptor field, FieldNode row)
    {
        string message = field.FieldType == FieldType.Message ? field.MessageType.FullName : "";
        bool isText = row.Kind is ValueKind.String or ValueKind.Bytes;
        bool isSameType = field.IsRepeated && field.FieldType == row.Field.FieldType;
        ColumnKind? kind = row.Shape switch
        {
            FieldShape.Single when isText && message == StringColumn.Descriptor.FullName => ColumnKind.Text,
            FieldShape.Repeated when isText && message == StringListColumn.Descriptor.FullName => ColumnKind.TextList,
            FieldShape.Single when row.Kind == ValueKind.Timestamp && message == TimestampColumn.Descriptor.FullName =>
                ColumnKind.Timestamp,
            FieldShape.Struct when field.IsRepeated && message == row.Field.MessageType.FullName => ColumnKind.Struct,
            FieldShape.Single when isSameType && row.Kind == ValueKind.Enum => ColumnKind.Enum,
            FieldShape.Single when isSameType && row.Kind < ValueKind.String =>
                Wire.TypeOf(row.Kind) == Wire.Varint ? ColumnKind.Varint : ColumnKind.Fixed,
            _ => null,
        };
        return kind ?? throw Unfit(field, "is not how a column of that type comes");
    }

    private static InvalidOperationException Unfit(FieldDescriptor field, string text) =>
        new($"{field.FullName} {text}.");
}
