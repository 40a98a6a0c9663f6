using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>
/// A table's rows as code: one emitted method that reads the fields of a row in the order of their numbers, as every
/// protobuf library writes them, with tags, kinds and rules as constants. It takes the rows that are written so and
/// satisfy every rule, and declines any other; the interpreter reads those again.
/// </summary>
/// <remarks>
/// Emitted once a table. A row without surprises costs half of what the interpreter takes (DecodeBenchmarks); what the
/// program does not know it never sees, so that the interpreter alone decides what is malformed or at fault.
/// </remarks>
internal sealed class RowProgram
{
    private const int MaxPresenceBits = 64;
    private const int MaxTagBytes = 2;

    // So that what a Struct has within it never lies too deep.
    private const int MaxDepthOfStruct = Wire.MaxDepth - (3 * (StructReader.MaxLevels + 1));

    private readonly Reader _reader;

    private RowProgram(Reader reader) => _reader = reader;

    private delegate int Reader(
        ref byte source, int at, int end, int limit, Column[] columns, int row, long nowSeconds, out ulong touched);

    /// <summary>
    /// Compiles a table's plan; null when it has fields that the program does not know: maps, oneofs, optional
    /// fields, lists of numbers, or more than 64 columns. Null also where code cannot be emitted.
    /// </summary>
    public static RowProgram? TryCompile(PlanCompiler plan, int presenceBits)
    {
        if (presenceBits > MaxPresenceBits || !RuntimeFeature.IsDynamicCodeCompiled || !IsKnown(plan.Root, depth: 1))
        {
            return null;
        }

        var method = new DynamicMethod(
            "ReadRow",
            typeof(int),
            [typeof(object), .. typeof(Reader).GetMethod("Invoke")!.GetParameters().Select(p => p.ParameterType)],
            typeof(RowProgram),
            skipVisibility: true);
        new RowEmitter(method.GetILGenerator(), plan).EmitRow();

        // Bound to an object that it does not need, which spares each call the shuffling of its arguments.
        return new RowProgram(method.CreateDelegate<Reader>(plan));
    }

    /// <summary>Reads one row into the columns.</summary>
    /// <param name="source">The bytes that the row lies in.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="limit">Where the bytes end that may be read, though not taken for the row's.</param>
    /// <param name="columns">The batch's columns, with room for the row.</param>
    /// <param name="row">Place of the row.</param>
    /// <param name="nowSeconds">The server's clock, Unix seconds.</param>
    /// <param name="touched">Bits of the columns that have to be rewound when the row was declined.</param>
    /// <returns>Whether the row was taken.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(
        ref byte source, int at, int end, int limit, Column[] columns, int row, long nowSeconds, out ulong touched) =>
        _reader(ref source, at, end, limit, columns, row, nowSeconds, out touched) == end;

    private static bool IsKnown(TagTable<FieldPlan> message, int depth) => message.Entries.All(
        entry => !entry.Value.InOneof && !entry.Value.Nullable && entry.Key < 1u << (7 * MaxTagBytes)
            && entry.Value.Op switch
            {
                FieldOp.Message => IsKnown(entry.Value.Nested!, depth + 1),
                FieldOp.Struct => depth < MaxDepthOfStruct,
                FieldOp.Item => entry.Value.ValueOp is FieldOp.String or FieldOp.LowCardinality,
                FieldOp.Fixed32 or FieldOp.Fixed64 or FieldOp.Enum or FieldOp.String or FieldOp.LowCardinality
                    or FieldOp.Timestamp or FieldOp.Bool or FieldOp.Varint32 or FieldOp.Varint64 or FieldOp.ZigZag32
                    or FieldOp.ZigZag64 => true,
                _ => false,
            });
}
