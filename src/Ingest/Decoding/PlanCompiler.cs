using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>Compiles a table's fields into decoding steps and row checks.</summary>
internal sealed class PlanCompiler
{
    private readonly Dictionary<string, MessageLayout> _layouts = [];
    private int _nextMessageBit;

    public PlanCompiler(TableSchema table)
    {
        _nextMessageBit = table.Columns.Count(c => c.IsInserted) - table.SystemColumnCount;
        Root = Compile(table.Fields, null, []);
    }

    public TagTable<FieldPlan> Root { get; }

    /// <summary>Fields whose value is made when the whole row has been read: maps, structs, JSON text.</summary>
    public List<FieldPlan> Deferred { get; } = [];

    /// <summary>All fields with a column.</summary>
    public List<FieldPlan> Leaves { get; } = [];

    /// <summary>Rules on the values that a row has.</summary>
    public List<RowCheck> Checks { get; } = [];

    /// <summary>Rules on the values that a row does not have.</summary>
    public List<Absence> Absences { get; } = [];

    private TagTable<FieldPlan> Compile(
        IEnumerable<FieldNode> nodes, FieldPlan? parent, List<FieldPlan> leavesOfParent)
    {
        var steps = new Dictionary<uint, FieldPlan>();
        var oneofs = new Dictionary<OneofDescriptor, List<(FieldPlan Plan, List<FieldPlan> Leaves)>>();
        foreach (FieldNode node in nodes)
        {
            var leaves = new List<FieldPlan>();
            FieldPlan plan = node.Shape switch
            {
                FieldShape.Flattened => Flattened(node, leaves),
                FieldShape.Skipped => Skipped(node, steps),
                _ => Leaf(node, parent, steps, leaves),
            };
            steps[Wire.Tag(node.Field.FieldNumber, WireTypeOf(node))] = plan;
            leavesOfParent.AddRange(leaves);
            if (node.Rules?.Required == true)
            {
                Absences.Add(new Absence(plan, parent, RowCheck.Missing(plan)));
            }

            if (node.Field.RealContainingOneof is { } oneof)
            {
                JoinOneof(oneofs, oneof, plan, leaves);
            }
        }

        return new TagTable<FieldPlan>(steps);
    }

    // A message type that two fields have is compiled for each, and so are its oneofs.
    private static void JoinOneof(
        Dictionary<OneofDescriptor, List<(FieldPlan Plan, List<FieldPlan> Leaves)>> oneofs, OneofDescriptor oneof,
        FieldPlan plan, List<FieldPlan> leaves)
    {
        if (!oneofs.TryGetValue(oneof, out List<(FieldPlan Plan, List<FieldPlan> Leaves)>? members))
        {
            oneofs.Add(oneof, members = []);
        }

        members.Add((plan, leaves));
        foreach ((FieldPlan member, _) in members)
        {
            member.Siblings = [.. members.Where(m => m.Plan != member).SelectMany(m => m.Leaves)];
        }
    }

    private FieldPlan Flattened(FieldNode node, List<FieldPlan> leaves)
    {
        int bit = _nextMessageBit++;
        var plan = new FieldPlan
        {
            Op = FieldOp.Message,
            Word = bit / 64,
            Bit = 1UL << (bit % 64),
            Node = node,
        };
        plan.Nested = Compile(node.Children, plan, leaves);
        leaves.Add(plan);
        return plan;
    }

    private FieldPlan Skipped(FieldNode node, Dictionary<uint, FieldPlan> steps)
    {
        MessageLayout layout = MessageLayout.Of(node.Field.ContainingType, _layouts);
        FieldLayout skipped = Array.Find(layout.Fields, f => f.Field == node.Field)!;
        if (node.Field.IsRepeated && skipped.WireType != Wire.Len)
        {
            steps[Wire.Tag(node.Field.FieldNumber, Wire.Len)] = Step(Wire.Len);
        }

        return Step(skipped.WireType);

        FieldPlan Step(uint wireType) => new()
        {
            Op = FieldOp.Skip,
            Word = 0,
            Bit = 0,
            Skipped = skipped,
            ValueWireType = wireType,
            Node = node,
        };
    }

    private FieldPlan Leaf(FieldNode node, FieldPlan? parent, Dictionary<uint, FieldPlan> steps, List<FieldPlan> leaves)
    {
        FieldPlan plan = Plan(node, OpOf(node));
        leaves.Add(plan);
        Leaves.Add(plan);
        if (plan.IsDeferred)
        {
            Deferred.Add(plan);
        }

        // A list of numbers is read packed or not, whatever the schema says.
        if (plan.Op == FieldOp.Item && WireTypeOf(node) != Wire.Len)
        {
            steps[Wire.Tag(node.Field.FieldNumber, Wire.Len)] = Plan(node, FieldOp.PackedItems);
        }

        if (RowCheck.TryCreateForZero(plan, out RowCheck? zeroCheck))
        {
            Checks.Add(zeroCheck);
        }

        if (RowCheck.TryCreate(plan, out RowCheck? check))
        {
            Checks.Add(check);
            if (check.IsBrokenByZero)
            {
                Absences.Add(new Absence(plan, parent, check.Fault()));
            }
        }

        return plan;
    }

    private FieldPlan Plan(FieldNode node, FieldOp op)
    {
        bool isDeferred = op is FieldOp.MapEntry or FieldOp.Struct or FieldOp.JsonObject or FieldOp.JsonItem;
        return new FieldPlan
        {
            Op = op,
            ValueOp = ValueOpOf(node.Kind, node.LowCardinality),
            KeyOp = node.Shape == FieldShape.Map ? ValueOpOf(node.KeyKind, lowCardinality: true) : FieldOp.Skip,
            ValueWireType = Wire.TypeOf(node.Kind),
            Column = node.Column,
            Word = node.Column / 64,
            Bit = 1UL << (node.Column % 64),
            Nullable = node.Shape == FieldShape.Optional,
            EmptyIsAbsent = node.Shape != FieldShape.Optional || node.Rules?.Required == true,
            // The text in a map has been checked with the entry.
            Validate = node.Kind == ValueKind.String && !isDeferred,
            Chain = isDeferred ? Deferred.Count : -1,
            Layout = isDeferred ? MessageLayout.Of(node.Field.MessageType, _layouts) : null,
            ListLayout = op == FieldOp.Struct ? MessageLayout.Of(ListValue.Descriptor, _layouts) : null,
            Node = node,
        };
    }

    private static FieldOp OpOf(FieldNode node) => node.Shape switch
    {
        FieldShape.Single or FieldShape.Optional => ValueOpOf(node.Kind, node.LowCardinality),
        FieldShape.Repeated => FieldOp.Item,
        FieldShape.Map => FieldOp.MapEntry,
        FieldShape.Struct => FieldOp.Struct,
        FieldShape.JsonObject => FieldOp.JsonObject,
        FieldShape.JsonArray => FieldOp.JsonItem,
        _ => throw new ArgumentOutOfRangeException(nameof(node), node.Shape, "is no leaf"),
    };

    /// <summary>How a value of a kind is read.</summary>
    public static FieldOp ValueOpOf(ValueKind kind, bool lowCardinality) => kind switch
    {
        ValueKind.Bool => FieldOp.Bool,
        ValueKind.Int32 or ValueKind.UInt32 => FieldOp.Varint32,
        ValueKind.Int64 or ValueKind.UInt64 => FieldOp.Varint64,
        ValueKind.SInt32 => FieldOp.ZigZag32,
        ValueKind.SInt64 => FieldOp.ZigZag64,
        ValueKind.Fixed32 or ValueKind.SFixed32 or ValueKind.Float => FieldOp.Fixed32,
        ValueKind.Fixed64 or ValueKind.SFixed64 or ValueKind.Double => FieldOp.Fixed64,
        ValueKind.String or ValueKind.Bytes => lowCardinality ? FieldOp.LowCardinality : FieldOp.String,
        ValueKind.Enum => FieldOp.Enum,
        ValueKind.Timestamp => FieldOp.Timestamp,
        ValueKind.Duration => FieldOp.Duration,
        _ => FieldOp.JsonObject,
    };

    private static uint WireTypeOf(FieldNode node) => node.Field.IsMap ? Wire.Len : Wire.TypeOf(node.Kind);
}
