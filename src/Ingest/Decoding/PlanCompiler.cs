using Google.Protobuf.Reflection;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>Compiles a table's fields into decoding steps and row checks.</summary>
internal sealed class PlanCompiler
{
    private readonly Dictionary<OneofDescriptor, List<(FieldPlan Plan, List<FieldPlan> Leaves)>> _oneofs = [];
    private int _nextMessageBit;

    public PlanCompiler(TableSchema table)
    {
        _nextMessageBit = table.Columns.Count(c => c.IsInserted) - 2;
        Root = Compile(table.Fields, []);
    }

    public MessagePlan Root { get; }

    /// <summary>Fields whose value is made when the whole row has been read: maps, structs, JSON text.</summary>
    public List<FieldPlan> Deferred { get; } = [];

    /// <summary>All fields with a column.</summary>
    public List<FieldPlan> Leaves { get; } = [];

    /// <summary>Rules that every row has to satisfy.</summary>
    public List<RowCheck> Checks { get; } = [];

    /// <summary>Fields that every row has to have.</summary>
    public List<FieldPlan> Required { get; } = [];

    private MessagePlan Compile(IEnumerable<FieldNode> nodes, List<FieldPlan> leavesOfParent)
    {
        var steps = new Dictionary<uint, FieldPlan>();
        foreach (FieldNode node in nodes)
        {
            var leaves = new List<FieldPlan>();
            FieldPlan plan = node.Shape == FieldShape.Flattened ? Flattened(node, leaves) : Leaf(node, steps, leaves);
            steps[Wire.Tag(node.Field.FieldNumber, WireTypeOf(node))] = plan;
            Register(node, plan, leaves);
            leavesOfParent.AddRange(leaves);
        }

        return new MessagePlan(steps);
    }

    private void Register(FieldNode node, FieldPlan plan, List<FieldPlan> leaves)
    {
        if (node.Rules?.Required == true)
        {
            Required.Add(plan);
        }

        if (node.Field.RealContainingOneof is not { } oneof)
        {
            return;
        }

        if (!_oneofs.TryGetValue(oneof, out List<(FieldPlan Plan, List<FieldPlan> Leaves)>? members))
        {
            _oneofs.Add(oneof, members = []);
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
        MessagePlan nested = Compile(node.Children, leaves);
        var plan = new FieldPlan
        {
            Op = FieldOp.Message,
            Word = bit / 64,
            Bit = 1UL << (bit % 64),
            Nested = nested,
            Node = node,
        };
        leaves.Add(plan);
        return plan;
    }

    private FieldPlan Leaf(FieldNode node, Dictionary<uint, FieldPlan> steps, List<FieldPlan> leaves)
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

        if (RowCheck.TryCreate(plan, out RowCheck? check))
        {
            Checks.Add(check);
        }

        return plan;
    }

    private static FieldPlan Plan(FieldNode node, FieldOp op) => new()
    {
        Op = op,
        ValueOp = op is FieldOp.MapEntry ? ValueOpOf(node.Kind, false) : ValueOpOf(node.Kind, node.LowCardinality),
        KeyOp = node.Shape == FieldShape.Map ? ValueOpOf(node.KeyKind, lowCardinality: true) : FieldOp.Skip,
        Column = node.Column,
        Word = node.Column / 64,
        Bit = 1UL << (node.Column % 64),
        Nullable = node.Shape == FieldShape.Optional,
        Validate = node.Kind == ValueKind.String,
        ValidateKey = node.KeyKind == ValueKind.String,
        Message = node.Kind != ValueKind.Message ? null
            : node.Field.IsMap ? node.Field.MessageType.FindFieldByNumber(2).MessageType
            : node.Field.MessageType,
        Node = node,
    };

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

    private static FieldOp ValueOpOf(ValueKind kind, bool lowCardinality) => kind switch
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

    private static uint WireTypeOf(FieldNode node) => node.Shape is FieldShape.Map ? Wire.Len : WireTypeOf(node.Kind);

    public static uint WireTypeOf(ValueKind kind) => kind switch
    {
        ValueKind.Fixed32 or ValueKind.SFixed32 or ValueKind.Float => Wire.I32,
        ValueKind.Fixed64 or ValueKind.SFixed64 or ValueKind.Double => Wire.I64,
        ValueKind.String or ValueKind.Bytes or ValueKind.Timestamp or ValueKind.Duration or ValueKind.Message
            => Wire.Len,
        _ => Wire.Varint,
    };
}
