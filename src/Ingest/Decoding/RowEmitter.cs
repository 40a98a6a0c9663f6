using System.Reflection;
using System.Reflection.Emit;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>Writes the code of a <see cref="RowProgram"/>: a call of a <see cref="RowSteps"/> method for each field.</summary>
internal sealed class RowEmitter
{
    // Places of the emitted method's arguments; the first one is the object that its delegate is bound to.
    private const int Source = 1;
    private const int At = 2;
    private const int End = 3;
    private const int Limit = 4;
    private const int Columns = 5;
    private const int Row = 6;
    private const int Now = 7;
    private const int TouchedOut = 8;

    private readonly ILGenerator _il;
    private readonly Dictionary<FieldPlan, RowCheck[]> _checks;
    private readonly LocalBuilder _touched;
    private readonly Label _declined;

    public RowEmitter(ILGenerator il, PlanCompiler plan)
    {
        _il = il;
        Root = plan.Root;
        _checks = plan.Checks.GroupBy(c => c.Plan).ToDictionary(g => g.Key, g => g.ToArray());
        _touched = il.DeclareLocal(typeof(ulong));
        _declined = il.DefineLabel();
    }

    private TagTable<FieldPlan> Root { get; }

    /// <summary>Writes the whole method.</summary>
    public void EmitRow()
    {
        EmitFields(Root, last: null);
        EmitTouchedOut();
        _il.Emit(OpCodes.Ldarg, At);
        _il.Emit(OpCodes.Ret);

        _il.MarkLabel(_declined);
        EmitTouchedOut();
        _il.Emit(OpCodes.Ldc_I4, RowSteps.Decline);
        _il.Emit(OpCodes.Ret);
    }

    // In the order of their numbers, which is the order in which they are written.
    private void EmitFields(TagTable<FieldPlan> message, LocalBuilder? last)
    {
        foreach ((uint tag, FieldPlan field) in message.Entries.OrderBy(e => e.Key))
        {
            if (field.Op == FieldOp.Message)
            {
                EmitMessage(field, tag, last);
            }
            else
            {
                EmitLeaf(field, tag, last);
            }
        }
    }

    private void EmitMessage(FieldPlan field, uint tag, LocalBuilder? last)
    {
        Label absent = _il.DefineLabel();
        Label done = _il.DefineLabel();
        LocalBuilder inner = _il.DeclareLocal(typeof(int));

        EmitPlace(last);
        EmitTag(tag);
        EmitStep(nameof(RowSteps.IsNext));
        _il.Emit(OpCodes.Brfalse, absent);

        EmitPlace(last);
        _il.Emit(OpCodes.Ldc_I4, TagBytes(tag));
        _il.Emit(OpCodes.Ldloca, inner);
        EmitStep(nameof(RowSteps.Enter));
        EmitAdvance();
        EmitFields(field.Nested!, inner);
        _il.Emit(OpCodes.Ldarg, At);
        _il.Emit(OpCodes.Ldloc, inner);
        _il.Emit(OpCodes.Bne_Un, _declined);
        _il.Emit(OpCodes.Br, done);

        _il.MarkLabel(absent);
        if (IsRequired(field))
        {
            _il.Emit(OpCodes.Br, _declined);
        }
        else
        {
            EmitDefaults(field.Nested!);
        }

        _il.MarkLabel(done);
    }

    private void EmitLeaf(FieldPlan field, uint tag, LocalBuilder? last)
    {
        EmitTouch(field);
        EmitPlace(last);
        if (field.Op is FieldOp.String or FieldOp.LowCardinality or FieldOp.Item or FieldOp.Struct)
        {
            _il.Emit(OpCodes.Ldarg, Limit);
        }

        EmitColumn(field);
        _il.Emit(OpCodes.Ldarg, Row);
        EmitTag(tag);
        EmitBool(IsRequired(field));
        EmitStep(EmitRule(field));
        EmitAdvance();
    }

    // Puts what the step wants besides on the stack, and says which step it is.
    private string EmitRule(FieldPlan field)
    {
        switch (field.Op)
        {
            case FieldOp.Fixed64 or FieldOp.Fixed32 when Rule(field, c => c.Range) is var (min, max):
                _il.Emit(OpCodes.Ldc_R8, min);
                _il.Emit(OpCodes.Ldc_R8, max);
                return field.Op == FieldOp.Fixed64 ? nameof(RowSteps.Double) : nameof(RowSteps.Float);

            case FieldOp.Fixed64:
                return nameof(RowSteps.Fixed64);

            case FieldOp.Fixed32:
                return nameof(RowSteps.Fixed32);

            case FieldOp.Enum:
                return nameof(RowSteps.Enum);

            case FieldOp.String or FieldOp.LowCardinality:
                _il.Emit(OpCodes.Ldc_I4, Rule(field, c => c.MaxBytes) ?? int.MaxValue);
                EmitBool(field.Validate);
                return field.Op == FieldOp.String ? nameof(RowSteps.String) : nameof(RowSteps.LowCardinality);

            case FieldOp.Item:
                EmitBool(field.Validate);
                return nameof(RowSteps.List);

            case FieldOp.Struct:
                return nameof(RowSteps.Struct);

            case FieldOp.Timestamp:
                (long earliest, long latest, long ahead) = Rule(field, c => c.Seconds)!.Value;
                _il.Emit(OpCodes.Ldc_I8, earliest);
                _il.Emit(OpCodes.Ldc_I8, latest);
                _il.Emit(OpCodes.Ldarg, Now);
                _il.Emit(OpCodes.Ldc_I8, ahead);
                return nameof(RowSteps.Timestamp);

            default:
                _il.Emit(OpCodes.Ldc_I4, (int)field.Op);
                return nameof(RowSteps.Varint);
        }
    }

    private void EmitDefaults(TagTable<FieldPlan> message)
    {
        MethodInfo writeDefault = typeof(Column).GetMethod(nameof(Column.WriteDefault))!;
        MethodInfo beginList = typeof(ArrayColumn).GetMethod(nameof(ArrayColumn.BeginRow))!;
        foreach (FieldPlan field in message.Entries.Values)
        {
            if (field.Op == FieldOp.Message)
            {
                EmitDefaults(field.Nested!);
                continue;
            }

            EmitTouch(field);
            EmitColumn(field);
            _il.Emit(OpCodes.Ldarg, Row);
            _il.Emit(OpCodes.Callvirt, field.Op is FieldOp.Item or FieldOp.Struct ? beginList : writeDefault);
        }
    }

    // Columns whose rows have a place of their own need no rewinding.
    private void EmitTouch(FieldPlan field)
    {
        if (field.Op is FieldOp.String or FieldOp.LowCardinality or FieldOp.Enum or FieldOp.Item or FieldOp.Struct)
        {
            _il.Emit(OpCodes.Ldloc, _touched);
            _il.Emit(OpCodes.Ldc_I8, (long)field.Bit);
            _il.Emit(OpCodes.Or);
            _il.Emit(OpCodes.Stloc, _touched);
        }
    }

    private void EmitPlace(LocalBuilder? last)
    {
        _il.Emit(OpCodes.Ldarg, Source);
        _il.Emit(OpCodes.Ldarg, At);
        if (last is null)
        {
            _il.Emit(OpCodes.Ldarg, End);
        }
        else
        {
            _il.Emit(OpCodes.Ldloc, last);
        }
    }

    private void EmitColumn(FieldPlan field)
    {
        _il.Emit(OpCodes.Ldarg, Columns);
        _il.Emit(OpCodes.Ldc_I4, field.Column);
        _il.Emit(OpCodes.Ldelem_Ref);
    }

    private void EmitTag(uint tag)
    {
        int bytes = TagBytes(tag);
        _il.Emit(OpCodes.Ldc_I4, bytes == 1 ? (int)tag : (int)((tag & 0x7f) | 0x80 | (tag >> 7 << 8)));
        _il.Emit(OpCodes.Ldc_I4, bytes);
    }

    private void EmitBool(bool value) => _il.Emit(value ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0);

    private void EmitStep(string name) => _il.Emit(OpCodes.Call, typeof(RowSteps).GetMethod(name)!);

    private void EmitAdvance()
    {
        _il.Emit(OpCodes.Starg, At);
        _il.Emit(OpCodes.Ldarg, At);
        _il.Emit(OpCodes.Ldc_I4_0);
        _il.Emit(OpCodes.Blt, _declined);
    }

    private void EmitTouchedOut()
    {
        _il.Emit(OpCodes.Ldarg, TouchedOut);
        _il.Emit(OpCodes.Ldloc, _touched);
        _il.Emit(OpCodes.Stind_I8);
    }

    private TRule? Rule<TRule>(FieldPlan field, Func<RowCheck, TRule?> rule)
        where TRule : struct =>
        _checks.GetValueOrDefault(field)?.Select(rule).FirstOrDefault(r => r is not null);

    private static bool IsRequired(FieldPlan field) => field.Node.Rules?.Required == true;

    private static int TagBytes(uint tag) => tag < 0x80 ? 1 : 2;
}
