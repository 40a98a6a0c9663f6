using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>Updates that say which they are.</summary>
internal static class Numbers
{
    private const string Field = "number";

    public static Struct Payload(int number) => new() { Fields = { [Field] = Value.ForNumber(number) } };

    // An event's properties are texts once they have been a row.
    public static int Of(Update update) => update.Custom.Fields[Field] is { HasStringValue: true } text
        ? int.Parse(text.StringValue, System.Globalization.CultureInfo.InvariantCulture)
        : (int)update.Custom.Fields[Field].NumberValue;
}
