using System.Text;
using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>A condition on a value of a google.protobuf.Struct: of the type of what it is compared with.</summary>
internal sealed class StructTest
{
    private const int ValueNumber = 2;
    private const int ValueString = 3;
    private const int ValueBool = 4;

    private readonly ComparisonOperator _comparison;
    private readonly Scalar[] _values;
    private readonly byte[][] _texts;
    private readonly Area? _area;

    /// <summary>Compares with a value, or with each of several.</summary>
    public StructTest(ComparisonOperator comparison, IEnumerable<Scalar> values)
    {
        _comparison = comparison;
        _values = [.. values];
        _texts = [.. _values.Select(value => Encoding.UTF8.GetBytes(value.Text))];
    }

    /// <summary>Asks whether an object with <c>lat</c> and <c>lon</c> lies in an area.</summary>
    public StructTest(Area area)
        : this(ComparisonOperator.Unspecified, []) => _area = area;

    /// <summary>Whether a list as a whole satisfies it.</summary>
    public bool TakesLists => _comparison == ComparisonOperator.Exists;

    /// <summary>Whether a scalar satisfies it.</summary>
    /// <param name="field">Number of the field of <c>google.protobuf.Value</c> that it stands in.</param>
    /// <param name="bits">A number or a bool.</param>
    /// <param name="bytes">Text.</param>
    public bool MatchesScalar(int field, ulong bits, ReadOnlySpan<byte> bytes)
    {
        if (_comparison == ComparisonOperator.Exists)
        {
            return true;
        }

        for (int i = 0; i < _values.Length; i++)
        {
            bool isMatch = (field, _values[i].ValueCase) switch
            {
                (ValueNumber, Scalar.ValueOneofCase.Number) => NumberTest.Compare(
                    _comparison, BitConverter.UInt64BitsToDouble(bits), _values[i].Number),
                (ValueString, Scalar.ValueOneofCase.Text) => _comparison == ComparisonOperator.Prefix
                    ? bytes.StartsWith(_texts[i])
                    : TextTest.Holds(_comparison, bytes.SequenceCompareTo(_texts[i])),
                (ValueBool, Scalar.ValueOneofCase.Boolean) =>
                    _comparison == ComparisonOperator.Equal && bits != 0 == _values[i].Boolean,
                _ => false,
            };
            if (isMatch)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an object satisfies it.</summary>
    public bool MatchesStruct(ReadOnlySpan<byte> value) => _area is null
        ? _comparison == ComparisonOperator.Exists
        : TryReadNumber(value, "lat"u8, out double lat) && TryReadNumber(value, "lon"u8, out double lon)
            && _area.Contains(lat, lon);

    private static bool TryReadNumber(ReadOnlySpan<byte> value, ReadOnlySpan<byte> name, out double number)
    {
        var entries = new WireFields(value);
        while (entries.Next())
        {
            if (StructCondition.TryFind(entries.Bytes, name, out ReadOnlySpan<byte> found))
            {
                var fields = new WireFields(found);
                if (fields.Next() && fields.Number == ValueNumber)
                {
                    number = BitConverter.UInt64BitsToDouble(fields.Bits);
                    return true;
                }
            }
        }

        number = 0;
        return false;
    }
}
