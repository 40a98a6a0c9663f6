using Ingest.V1;

namespace Ingest.Schema;

/// <summary>Refuses rules that a field of that kind cannot have: a rule is enforced or it is an error.</summary>
internal static class ColumnRulesCheck
{
    /// <summary>Throws what <paramref name="fault"/> makes of the first rule that does not fit.</summary>
    public static void Refuse(
        ColumnRules? rules, FieldShape shape, ValueKind kind, Func<string, SchemaException> fault)
    {
        if (rules is null)
        {
            return;
        }

        bool single = shape is FieldShape.Single or FieldShape.Optional;
        if (rules.MaxBytes > 0 && !(single && kind is (ValueKind.String or ValueKind.Bytes)))
        {
            throw fault("is not a single string or bytes, so max_bytes means nothing");
        }

        if ((rules.HasMin || rules.HasMax || rules.Finite)
            && !(single && kind is (ValueKind.Float or ValueKind.Double)))
        {
            throw fault("is not a single float or double, so min, max and finite mean nothing");
        }

        if (rules.HasMin && rules.HasMax && !(rules.Min <= rules.Max))
        {
            throw fault("has a min that is not below its max");
        }

        if ((rules.NotBefore is not null || rules.AtMostAhead is not null)
            && !(single && kind == ValueKind.Timestamp))
        {
            throw fault("is not a single timestamp, so not_before and at_most_ahead mean nothing");
        }
    }
}
