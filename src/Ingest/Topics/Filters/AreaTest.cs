using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>Whether a location lies in an area.</summary>
internal sealed class AreaTest(Area area) : ValueTest
{
    public override bool Matches(ulong bits, ReadOnlySpan<byte> bytes)
    {
        double lat = 0;
        double lon = 0;
        var fields = new WireFields(bytes);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case Location.LatFieldNumber:
                    lat = BitConverter.UInt64BitsToDouble(fields.Bits);
                    break;
                case Location.LonFieldNumber:
                    lon = BitConverter.UInt64BitsToDouble(fields.Bits);
                    break;
            }
        }

        return area.Contains(lat, lon);
    }
}
