using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>
/// A condition on a value in a google.protobuf.Struct, by names. Of a list it holds when it holds for one of the
/// items; a value of another type than the one it is compared with satisfies nothing, nor does one that is not there.
/// </summary>
/// <param name="steps">The way to the Struct; empty when the payload is one.</param>
/// <param name="names">Names from there on, in UTF-8; none for the Struct itself.</param>
/// <param name="test">The condition on the value.</param>
internal sealed class StructCondition(FieldStep[] steps, byte[][] names, StructTest test) : FilterNode
{
    private const int EntryKey = 1;
    private const int EntryValue = 2;
    private const int StructFields = 1;
    private const int ListItems = 1;
    private const int ValueStruct = 5;
    private const int ValueList = 6;

    // As deep as Google.Protobuf reads.
    private const int MaxDepth = 100;

    public override bool Matches(ReadOnlySpan<byte> payload) => Walk(payload, 0);

    private bool Walk(ReadOnlySpan<byte> message, int depth)
    {
        if (depth == steps.Length)
        {
            return InStruct(message, 0, 0);
        }

        var fields = new WireFields(message);
        while (fields.Next())
        {
            if (fields.Number == steps[depth].Number && Walk(fields.Bytes, depth + 1))
            {
                return true;
            }
        }

        return false;
    }

    private bool InStruct(ReadOnlySpan<byte> value, int at, int depth)
    {
        if (at == names.Length)
        {
            return test.MatchesStruct(value);
        }

        var fields = new WireFields(value);
        while (fields.Next())
        {
            if (fields.Number == StructFields && TryFind(fields.Bytes, names[at], out ReadOnlySpan<byte> found)
                && InValue(found, at + 1, depth + 1))
            {
                return true;
            }
        }

        return false;
    }

    private bool InValue(ReadOnlySpan<byte> value, int at, int depth)
    {
        var fields = new WireFields(value);
        while (fields.Next() && depth < MaxDepth)
        {
            bool isMatch = fields.Number switch
            {
                ValueStruct => InStruct(fields.Bytes, at, depth),
                ValueList => InList(fields.Bytes, at, depth),
                _ => at == names.Length && test.MatchesScalar(fields.Number, fields.Bits, fields.Bytes),
            };
            if (isMatch)
            {
                return true;
            }
        }

        return false;
    }

    private bool InList(ReadOnlySpan<byte> list, int at, int depth)
    {
        if (at == names.Length && test.TakesLists)
        {
            return true;
        }

        var fields = new WireFields(list);
        while (fields.Next())
        {
            if (fields.Number == ListItems && InValue(fields.Bytes, at, depth + 1))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The value of a map entry, if it is of that name.</summary>
    internal static bool TryFind(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        bool isIt = name.IsEmpty;
        value = default;
        var fields = new WireFields(entry);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case EntryKey:
                    isIt = fields.Bytes.SequenceEqual(name);
                    break;
                case EntryValue:
                    value = fields.Bytes;
                    break;
            }
        }

        return isIt;
    }
}
