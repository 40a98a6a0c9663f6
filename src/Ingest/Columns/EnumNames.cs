using System.Text;
using Google.Protobuf.Reflection;
using Ingest.Schema;

namespace Ingest.Columns;

/// <summary>What a column calls the numbers of an enum, in UTF-8.</summary>
internal sealed class EnumNames
{
    private const int MostCachedNumbers = 256;

    private readonly Dictionary<int, byte[]> _names = [];

    public EnumNames(EnumDescriptor type)
    {
        foreach (EnumValueDescriptor value in type.Values)
        {
            // Of aliases the first name stands, as protobuf's JSON has it.
            _names.TryAdd(value.Number, Encoding.UTF8.GetBytes(TypeNames.OfEnumValue(type, value)));
        }

        CachedNumbers = _names.Keys.Where(n => n is >= 0 and < MostCachedNumbers).Select(n => n + 1)
            .DefaultIfEmpty().Max();
    }

    /// <summary>
    /// Numbers from 0 on whose keys a column remembers by number: the small ones, which nearly all are.
    /// </summary>
    public int CachedNumbers { get; }

    /// <summary>Name of a number, or null for one that the schema does not know.</summary>
    public byte[]? Find(int number) => _names.GetValueOrDefault(number);
}
